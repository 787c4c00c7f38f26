//! Butane (variant fcos) to Ignition, Ignition's merge and Ignition's validation. Pure: no network, no clock.
