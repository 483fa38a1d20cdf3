//! The host's own name: gethostname(2).

use std::ffi::CStr;
use std::io;

/// Longer than HOST_NAME_MAX of any system.
const HOST_NAME_ROOM: usize = 256;

/// The name of this host.
pub(crate) fn host_name() -> io::Result<String> {
    let mut name = [0_u8; HOST_NAME_ROOM];
    // SAFETY: the buffer has one byte more than the length given, which stays 0.
    if unsafe { libc::gethostname(name.as_mut_ptr().cast(), name.len() - 1) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let name = CStr::from_bytes_until_nul(&name).map_err(|_| io::Error::from_raw_os_error(libc::ENAMETOOLONG))?;
    Ok(name.to_string_lossy().into_owned())
}
