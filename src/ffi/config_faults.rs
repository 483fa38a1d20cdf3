//! What is wrong with a configuration.

use super::args::{self, Extensible, Out, view};
use super::guard;
use super::open_config::Told;
use super::status::netsys_status;
use super::types::*;
use crate::error::{Code, Error};

/// Something that is wrong with a configuration. The strings are valid until the configuration is destroyed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct netsys_config_fault_info {
    /// sizeof(netsys_config_fault_info); set it before the call.
    pub struct_size: u32,
    /// The line, from 1; 0 if the fault is in no line of a text.
    pub line: u32,
    /// The column, in characters from 1; 0 if the fault is in no line of a text.
    pub column: u32,
    /// 0.
    pub reserved: u32,
    /// The file as it was named; empty if there is none.
    pub file: netsys_str,
    /// The key: "server.timeout"; empty if the fault is not that of one key.
    pub key: netsys_str,
    /// What was found and what is expected.
    pub text: netsys_str,
    /// All of it, as a line: "network.toml:12:8: server.port: found 70000, expected a whole number from 0 to 65535".
    pub report: netsys_str,
}

// SAFETY: see `args::tests::structs_have_no_padding`; numbers and views may all be zero.
unsafe impl Extensible for netsys_config_fault_info {}

/// How many faults the last call that failed on this configuration has found.
///
/// @param config  the configuration
/// @param out     the number
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_config_fault_count(config: netsys_config, out: *mut usize) -> netsys_status {
    guard::with(config, |open| {
        // SAFETY: the caller gives NULL or a place for the result.
        let out = unsafe { Out::new(out, "out") }?;
        out.store(open.fault_count());
        Ok(())
    })
}

/// One of the faults that the last call that failed on this configuration has found.
///
/// @param config  the configuration
/// @param index   which, from 0, in the order of the text
/// @param out     filled in; set its struct_size to sizeof(netsys_config_fault_info) first
/// @return NETSYS_OK; NETSYS_ERR_INVALID_HANDLE; NETSYS_ERR_INVALID_ARGUMENT; NETSYS_ERR_NOT_FOUND (there are less)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsys_config_fault(
    config: netsys_config,
    index: usize,
    out: *mut netsys_config_fault_info,
) -> netsys_status {
    guard::with(config, |open| {
        // SAFETY: the caller gives NULL or a struct as long as it says.
        unsafe { Out::new(out, "out") }?;
        let faults = open.lend_faults();
        let Some(Told { fault, report }) = faults.get(index) else {
            return Err(Error::new(Code::NotFound, format!("index is {index}, but there are {} faults", faults.len())));
        };
        let info = netsys_config_fault_info {
            struct_size: size_of::<netsys_config_fault_info>() as u32,
            line: fault.line,
            column: fault.column,
            reserved: 0,
            file: view(&fault.file),
            key: view(&fault.key),
            text: view(&fault.text),
            report: view(report),
        };
        // SAFETY: the caller gives NULL or a struct as long as it says.
        unsafe { args::fill_struct(out, "out", info) }
    })
}
