//! The fuzzer, by libFuzzer, which chooses inputs by what of the program they reach. run.sh builds and runs it.
//!
//!     fuzzer list                      the targets
//!     fuzzer seeds FOLDER              writes a first corpus
//!     fuzzer TARGET [OPTION|FOLDER]... what libFuzzer does with these; only if built with --cfg netsys_fuzz

#[path = "../support/mod.rs"]
mod support;
mod targets;

use std::path::Path;

use targets::TARGETS;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match &arguments[1..] {
        [list] if list == "list" => TARGETS.iter().for_each(|target| println!("{}", target.name)),
        [seeds, folder] if seeds == "seeds" => write_seeds(Path::new(folder)),
        [name, options @ ..] => {
            let target = TARGETS.iter().find(|target| target.name == name).expect("the name of a target");
            fuzz::run(target.run, options);
        }
        [] => eprintln!("fuzzer: see tests/fuzz/fuzzer.rs"),
    }
}

fn write_seeds(folder: &Path) {
    for target in TARGETS {
        let folder = folder.join(target.name);
        std::fs::create_dir_all(&folder).unwrap();
        for (number, seed) in (target.seeds)().iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{number:02}")), seed).unwrap();
        }
    }
}

#[cfg(not(netsys_fuzz))]
mod fuzz {
    pub fn run(_target: fn(&[u8]), _options: &[String]) {
        panic!("this was built without libFuzzer: use tests/fuzz/run.sh");
    }
}

#[cfg(netsys_fuzz)]
mod fuzz {
    use std::ffi::{CString, c_char, c_int};
    use std::sync::OnceLock;

    unsafe extern "C" {
        /// Part of libFuzzer. Does not return where it finds something.
        fn LLVMFuzzerRunDriver(
            count: *mut c_int,
            arguments: *mut *mut *mut c_char,
            callback: extern "C" fn(*const u8, usize) -> c_int,
        ) -> c_int;
    }

    static TARGET: OnceLock<fn(&[u8])> = OnceLock::new();

    extern "C" fn callback(data: *const u8, len: usize) -> c_int {
        // SAFETY: libFuzzer's input; without bytes, its address may be anything.
        let input = if len == 0 { &[][..] } else { unsafe { std::slice::from_raw_parts(data, len) } };
        TARGET.get().expect("it is set before")(input);
        0
    }

    pub fn run(target: fn(&[u8]), options: &[String]) {
        // On whatever thread: a fault that the library survives is one too.
        let told = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            told(panic);
            std::process::abort();
        }));
        TARGET.get_or_init(|| target);
        let name = CString::new("fuzzer").expect("no NUL");
        let mut arguments = vec![name.into_raw()];
        arguments.extend(options.iter().map(|option| CString::new(option.as_str()).expect("no NUL").into_raw()));
        let mut count = arguments.len() as c_int;
        arguments.push(std::ptr::null_mut());
        let mut start = arguments.as_mut_ptr();
        // SAFETY: arguments as those of a main function are, for as long as the process lives.
        let status = unsafe { LLVMFuzzerRunDriver(&mut count, &mut start, callback) };
        std::process::exit(status);
    }
}
