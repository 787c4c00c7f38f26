//! VLANs that this server put on a machine's ports: nobody else's are ever taken off.

use serde::{Deserialize, Serialize};

use super::{DeviceId, Provider};

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

    /// Those that are on this machine, if it is the one that the host names.
    #[must_use]
    pub fn on<'a>(put: Option<&'a Self>, provider: &Provider) -> &'a [u16] {
        put.filter(|put| put.device == provider.device)
            .map_or(&[][..], |put| &put.ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_on_one_machine_is_not_on_another() {
        let provider = |n: u8| Provider {
            device: format!("7a8b0000-0000-4000-8000-0000000000{n:02x}").parse().unwrap(),
            metadata: false,
        };
        let mut put = PutVlans::none(&provider(1).device);
        put.add(&[1001, 1000]);
        put.add(&[1000]);
        assert_eq!(PutVlans::on(Some(&put), &provider(1)), [1000, 1001]);
        assert_eq!(PutVlans::on(Some(&put), &provider(2)), [0_u16; 0]);
        put.keep_of(&[7, 1001]);
        assert_eq!(put.ids, [1001]);
    }
}
