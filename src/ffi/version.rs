//! Versions of the library and of the header.

use std::ffi::{CStr, c_char};

use super::guard;
use super::status::netsys_status;
use crate::error::{Code, Error, Result};

/// The version of this header: major. Programs made for another major version do not run.
pub const NETSYS_VERSION_MAJOR: u32 = 2;
/// The version of this header: minor. A library runs programs made for its own or an earlier one.
pub const NETSYS_VERSION_MINOR: u32 = 0;
/// The version of this header: patch.
pub const NETSYS_VERSION_PATCH: u32 = 0;
/// The version of this header as one number: major << 24 | minor << 16 | patch << 8.
pub const NETSYS_VERSION_NUMBER: u32 =
    (NETSYS_VERSION_MAJOR << 24) | (NETSYS_VERSION_MINOR << 16) | (NETSYS_VERSION_PATCH << 8);

const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => panic!("a version has no NUL"),
};

fn check(header: u32) -> Result<()> {
    let (major, minor) = (header >> 24, header >> 16 & 0xFF);
    if major == NETSYS_VERSION_MAJOR && (0..=NETSYS_VERSION_MINOR).contains(&minor) {
        return Ok(());
    }
    Err(Error::new(
        Code::Unsupported,
        format!(
            "the program was made for version {major}.{minor}, this library is {}: install a library that fits, or \
             build the program again",
            env!("CARGO_PKG_VERSION")
        ),
    ))
}

/// The version of the library that runs, as NETSYS_VERSION_NUMBER gives that of this header.
///
/// @return the number. Works in a forked child too.
#[unsafe(no_mangle)]
pub extern "C" fn netsys_version() -> u32 {
    guard::value(0, || NETSYS_VERSION_NUMBER)
}

/// The version of the library that runs: "2.0.0".
///
/// @return a static string. Works in a forked child too.
#[unsafe(no_mangle)]
pub extern "C" fn netsys_version_string() -> *const c_char {
    guard::value(VERSION.as_ptr(), || VERSION.as_ptr())
}

/// Whether the library that runs serves programs that were made with a header of this version: the same major version,
/// and a minor version not later than the library's.
///
/// @param header_version  NETSYS_VERSION_NUMBER
/// @return NETSYS_OK; NETSYS_ERR_UNSUPPORTED
#[unsafe(no_mangle)]
pub extern "C" fn netsys_check_version(header_version: u32) -> netsys_status {
    guard::call(|| check(header_version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constants_are_the_packages_version() {
        let constants = format!("{NETSYS_VERSION_MAJOR}.{NETSYS_VERSION_MINOR}.{NETSYS_VERSION_PATCH}");
        assert_eq!(constants, env!("CARGO_PKG_VERSION"));
        assert_eq!(VERSION.to_str(), Ok(env!("CARGO_PKG_VERSION")));
        assert_eq!(netsys_version(), NETSYS_VERSION_NUMBER);
        assert_eq!(netsys_version_string(), VERSION.as_ptr());
    }

    #[test]
    fn later_headers_and_other_majors_are_refused() {
        let version = |major: u32, minor: u32, patch: u32| major << 24 | minor << 16 | patch << 8;
        let (major, minor) = (NETSYS_VERSION_MAJOR, NETSYS_VERSION_MINOR);
        assert_eq!(netsys_check_version(NETSYS_VERSION_NUMBER), 0);
        assert_eq!(netsys_check_version(version(major, minor, 255)), 0);
        for other in [version(major, minor + 1, 0), version(major + 1, minor, 0), version(major - 1, minor, 0), 0] {
            assert_eq!(netsys_check_version(other), Code::Unsupported as i32, "{other:#x}");
        }
    }
}
