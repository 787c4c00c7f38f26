//! VLANs that this server put on a machine's ports: nobody else's are ever taken off.

use serde::{Deserialize, Serialize};

use super::DeviceId;

/// VLANs that this server had put on the ports of one machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutVlans {
    /// Which machine: another one has others.
    pub device: DeviceId,
    /// Their ids, in order.
    pub ids: Vec<u16>,
}

impl PutVlans {
    /// None, on this machine.
    #[must_use]
    pub fn none(device: &DeviceId) -> Self {
        Self {
            device: device.clone(),
            ids: Vec::new(),
        }
    }

    /// With these, which were asked for and were not there before.
    pub fn add(&mut self, ids: &[u16]) {
        self.ids.extend(ids);
        self.ids.sort_unstable();
        self.ids.dedup();
    }

    /// Without what the ports do not carry: whoever puts it there again is somebody else.
    pub fn keep_of(&mut self, carried: &[u16]) {
        self.ids.retain(|id| carried.contains(id));
    }

    /// What is known of this machine: of another one is no word.
    #[must_use]
    pub fn of<'a>(known: Option<&'a Self>, device: &DeviceId) -> Option<&'a Self> {
        known.filter(|put| put.device == *device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_on_one_machine_is_not_on_another() {
        let device = |n: u8| -> DeviceId { format!("7a8b0000-0000-4000-8000-0000000000{n:02x}").parse().unwrap() };
        let mut put = PutVlans::none(&device(1));
        put.add(&[1001, 1000]);
        put.add(&[1000]);
        assert_eq!(PutVlans::of(Some(&put), &device(1)).unwrap().ids, [1000, 1001]);
        assert_eq!(PutVlans::of(Some(&put), &device(2)), None);
        put.keep_of(&[7, 1001]);
        assert_eq!(put.ids, [1001]);
    }
}
