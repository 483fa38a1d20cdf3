//! The checked-in C header is what cbindgen makes of the sources.

use std::path::Path;
use std::{env, fs};

use cbindgen::{Builder, Config};
use network_system::error::Code;

const HEADER: &str = "include/network_system.h";

/// In the order in which the header presents them.
const SOURCES: &[&str] = &[
    "src/ffi/types.rs",
    "src/error.rs",
    "src/ffi/tls_config.rs",
    "src/ffi/tls_info.rs",
    "src/ffi/server_config.rs",
    "src/ffi/client_config.rs",
    "src/ffi/version.rs",
    "src/ffi/status.rs",
    "src/ffi/context.rs",
    "src/ffi/executor.rs",
    "src/ffi/server.rs",
    "src/ffi/client.rs",
    "src/ffi/session.rs",
    "src/ffi/session_data.rs",
    "src/ffi/network_utils.rs",
    "src/ffi/resolver.rs",
    "src/ffi/pool_config.rs",
    "src/ffi/pool_source.rs",
    "src/ffi/pool_info.rs",
    "src/ffi/connection_pool.rs",
    "src/ffi/lease.rs",
    "src/ffi/session_manager.rs",
    "src/ffi/monitor.rs",
    "src/ffi/bridge.rs",
    "src/ffi/network_config.rs",
    "src/ffi/config_faults.rs",
    "src/ffi/config_structs.rs",
];

fn generate(root: &Path) -> String {
    let config = Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml is valid");
    let sources =
        SOURCES.iter().fold(Builder::new().with_config(config), |builder, source| builder.with_src(root.join(source)));
    let mut header = Vec::new();
    sources.generate().expect("the sources are understood").write(&mut header);
    String::from_utf8(header).expect("cbindgen writes UTF-8")
}

#[test]
fn the_checked_in_header_is_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let generated = generate(root);
    let path = root.join(HEADER);
    if env::var_os("NETSYS_UPDATE_HEADER").is_some() {
        fs::write(&path, &generated).expect("the header can be written");
    }
    let checked_in = fs::read_to_string(&path).expect("the header exists");
    let mut lines = (1..).zip(generated.lines().zip(checked_in.lines()));
    if let Some((number, (new, old))) = lines.find(|(_, (new, old))| new != old) {
        panic!(
            "{HEADER}:{number} is out of date: run NETSYS_UPDATE_HEADER=1 cargo test --test header\n  is:     {old}\n  \
             should: {new}"
        );
    }
    assert!(
        generated == checked_in,
        "{HEADER} ends too early or too late: run NETSYS_UPDATE_HEADER=1 cargo test --test header"
    );
}

#[test]
fn every_export_is_in_the_header() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let header = generate(root);
    let mut exports = 0;
    for entry in fs::read_dir(root.join("src/ffi")).expect("src/ffi exists") {
        let path = entry.expect("a directory entry").path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let source = fs::read_to_string(&path).expect("a source file");
        for rest in source.split("extern \"C\" fn ").skip(1) {
            let name = rest.split('(').next().expect("a name");
            assert!(
                header.contains(&format!(" {name}(")) || header.contains(&format!("*{name}(")),
                "{name} is missing"
            );
            exports += 1;
        }
    }
    assert!(exports > 50, "only {exports} exports were found: does this test look in the right place?");
}

#[test]
fn every_code_is_in_the_header() {
    let header = generate(Path::new(env!("CARGO_MANIFEST_DIR")));
    for code in Code::ALL {
        let constant = format!("    {} = {},\n", code.name().to_str().expect("ASCII"), code as i32);
        assert!(header.contains(&constant), "{constant} is missing");
    }
}
