//! The contract that every store keeps, kept by this one.

mod folder;

use folder::Folder;

thirdboot_store::contract_suite!(Folder::fresh);
