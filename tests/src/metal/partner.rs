//! The other end of a bond: a switch that speaks LACP on each of its ports, and nothing else.
//!
//! A machine that stands alone has nobody to aggregate with. Two machines do not need this:
//! their cards are wired to each other and their kernels are each other's partners.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use super::machine::Wire;

/// What the switch calls itself; hosts report it as their partner.
pub const SYSTEM: [u8; 6] = [0x02, 0x00, 0x00, 0xff, 0x00, 0x01];

/// Slow protocols' address, their `EtherType`, and LACP among them: IEEE 802.1AX.
const SLOW_PROTOCOLS: [u8; 6] = [0x01, 0x80, 0xc2, 0x00, 0x00, 0x02];
const ETHER_TYPE: [u8; 2] = [0x88, 0x09];
const LACP: u8 = 1;

/// Length of a LACPDU with its Ethernet header.
const LENGTH: usize = 124;

/// Where the actor's and the partner's 15 octets stand.
const ACTOR: std::ops::Range<usize> = 18..33;
const PARTNER: std::ops::Range<usize> = 38..53;
/// In the latter, behind its priority, the system that the sender sees.
const PARTNER_SYSTEM: std::ops::Range<usize> = 40..46;

/// Active, short time-out, aggregatable, in sync, collecting, distributing.
const STATE: u8 = 0b0011_1111;

/// A switch with its ports. Dropping it switches it off.
#[derive(Debug)]
pub struct Partner {
    /// The cables, as the machine sees them.
    pub wires: Vec<Wire>,
    aggregated: Arc<Mutex<BTreeSet<u8>>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Partner {
    /// A switch with some ports.
    ///
    /// # Errors
    /// When no socket can be had.
    pub async fn with_ports(count: u8) -> Result<Self> {
        let aggregated = Arc::<Mutex<BTreeSet<u8>>>::default();
        let (mut wires, mut tasks) = (Vec::new(), Vec::new());
        for port in 1..=count {
            let socket = UdpSocket::bind(("127.0.0.1", 0)).await?;
            wires.push(Wire {
                from: free_port()?,
                to: socket.local_addr()?.port(),
            });
            let aggregated = Arc::clone(&aggregated);
            tasks.push(tokio::spawn(async move {
                let mut frame = [0; 2048];
                while let Ok((length, from)) = socket.recv_from(&mut frame).await {
                    if let Some(answer) = answer(&frame[..length], port) {
                        if frame[PARTNER_SYSTEM] == SYSTEM {
                            aggregated.lock().unwrap_or_else(PoisonError::into_inner).insert(port);
                        }
                        let _ = socket.send_to(&answer, from).await;
                    }
                }
            }));
        }
        Ok(Self {
            wires,
            aggregated,
            tasks,
        })
    }

    /// The ports on which the machine names this switch as its partner.
    pub fn aggregated(&self) -> BTreeSet<u8> {
        self.aggregated.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Partner {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// A UDP port that nobody has at the moment.
///
/// # Errors
/// When there is none.
pub fn free_port() -> Result<u16> {
    Ok(std::net::UdpSocket::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// What a port says to a LACPDU: who it is, and whom it sees.
fn answer(frame: &[u8], port: u8) -> Option<[u8; LENGTH]> {
    let is_lacp = frame.get(..6)? == SLOW_PROTOCOLS && frame.get(12..14)? == ETHER_TYPE && *frame.get(14)? == LACP;
    let actor = frame.get(ACTOR)?;
    if !is_lacp || frame.len() < PARTNER.end {
        return None;
    }
    let mut answer = [0; LENGTH];
    answer[..6].copy_from_slice(&SLOW_PROTOCOLS);
    answer[6..12].copy_from_slice(&[0x02, 0x00, 0x00, 0xff, 0x01, port]);
    answer[12..14].copy_from_slice(&ETHER_TYPE);
    // LACP, version 1; then the actor's TLV: type 1, 20 octets.
    answer[14..18].copy_from_slice(&[LACP, 1, 1, 20]);
    // Priority of the system, its address, the key, priority and number of the port, its state.
    answer[18..20].copy_from_slice(&[0x80, 0x00]);
    answer[20..26].copy_from_slice(&SYSTEM);
    answer[26..28].copy_from_slice(&[0, 1]);
    answer[28..30].copy_from_slice(&[0, 0x80]);
    answer[30..32].copy_from_slice(&[0, port]);
    answer[32] = STATE;
    answer[36..38].copy_from_slice(&[2, 20]);
    answer[PARTNER].copy_from_slice(actor);
    // The collector's TLV: type 3, 16 octets; the terminator is zero.
    answer[56..58].copy_from_slice(&[3, 16]);
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lacp_is_answered_and_the_host_sees_itself_as_partner() {
        let mut frame = [0; LENGTH];
        assert!(answer(&frame, 1).is_none());
        frame[..6].copy_from_slice(&SLOW_PROTOCOLS);
        frame[12..14].copy_from_slice(&ETHER_TYPE);
        frame[14..18].copy_from_slice(&[LACP, 1, 1, 20]);
        frame[ACTOR].copy_from_slice(&[7; 15]);
        let said = answer(&frame, 2).unwrap();
        assert_eq!((&said[20..26], &said[30..32]), (&SYSTEM[..], &[0, 2][..]));
        assert_eq!(said[PARTNER], [7; 15]);
    }
}
