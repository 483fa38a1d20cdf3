//! Every function of the C ABI runs under the guard, which this reads off the sources.

use std::fs;
use std::path::{Path, PathBuf};

/// The ways into the guard; see src/ffi/guard.rs.
const GUARDS: [&str; 5] = ["call", "call_also_forked", "with", "start", "value"];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a directory entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The source without comments, strings and characters, which may contain anything.
fn code_only(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '/' if rest.peek() == Some(&'/') => {
                rest.by_ref().find(|c| *c == '\n');
                code.push('\n');
            }
            '"' => {
                while let Some(c) = rest.next().filter(|c| *c != '"') {
                    if c == '\\' {
                        rest.next();
                    }
                }
                code.push_str("\"\"");
            }
            // A character, not a lifetime: its closing quote is the second or, after a backslash, a later one.
            '\'' => {
                let mut ahead = rest.clone();
                match (ahead.next(), ahead.next()) {
                    (Some('\\'), Some(_)) => {
                        rest.nth(1);
                        rest.by_ref().find(|c| *c == '\'');
                    }
                    (Some(_), Some('\'')) => {
                        rest.nth(1);
                    }
                    _ => code.push('\''),
                }
            }
            _ => code.push(c),
        }
    }
    code
}

/// The text up to the bracket that closes the one it begins with, both included.
fn bracketed(text: &str) -> &str {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '{' | '[' => depth += 1,
            ')' | '}' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[..=at];
        }
    }
    panic!("no bracket closes: {text}");
}

/// The name and the body of each function that is exported.
fn exports(code: &str) -> Vec<(String, String)> {
    code.split("no_mangle")
        .skip(1)
        .map(|rest| {
            let rest = rest.split_once("fn ").expect("no_mangle stands before a function").1;
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let parameters = bracketed(&rest[name.len()..]);
            let rest = &rest[name.len() + parameters.len()..];
            let body = bracketed(&rest[rest.find('{').expect("a body")..]);
            (name, body[1..body.len() - 1].trim().to_owned())
        })
        .collect()
}

/// Whether the body is one call of the guard and nothing else.
fn is_guarded(body: &str) -> bool {
    let Some(call) = body.strip_prefix("guard::") else { return false };
    let Some((way, _)) = call.split_once('(') else { return false };
    GUARDS.contains(&way) && bracketed(&call[way.len()..]).len() == call.len() - way.len()
}

#[test]
fn every_export_runs_under_the_guard() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let header = fs::read_to_string(root.join("include/network_system.h")).expect("the header");
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    let mut exported = Vec::new();
    for path in files {
        let source = fs::read_to_string(&path).expect("a source file");
        let functions = exports(&code_only(&source));
        assert!(
            functions.is_empty() || path.starts_with(root.join("src/ffi")),
            "{}: functions are exported by src/ffi only",
            path.display()
        );
        for (name, body) in functions {
            assert!(is_guarded(&body), "{name} in {} is not one call of the guard: {body}", path.display());
            exported.push(name);
        }
    }
    let declared = header.lines().filter(|line| {
        let is_code = line.starts_with(|c: char| c.is_ascii_lowercase()) && !line.starts_with("typedef");
        is_code && line.contains(" netsys_") && line.contains('(') || line.contains(" *netsys_") && line.contains('(')
    });
    assert_eq!(exported.len(), declared.count(), "the exports are what the header declares: {exported:?}");
}

#[test]
fn what_is_not_guarded_is_noticed() {
    let source = r#"
        #[unsafe(no_mangle)]
        pub extern "C" fn netsys_good(a: u32, b: fn(u32) -> u32) -> i32 {
            // A comment with { an open bracket, and a string with one.
            guard::call(|| { let _c = ('{', "{\"", '\'', '\n'); Ok(()) })
        }
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn netsys_bare() -> i32 { 0 }
        #[unsafe(no_mangle)]
        pub extern "C" fn netsys_before() -> i32 { work(); guard::call(|| Ok(())) }
        #[unsafe(no_mangle)]
        pub extern "C" fn netsys_after() -> i32 { guard::call(|| Ok(())) + work() }
        #[unsafe(no_mangle)]
        pub extern "C" fn netsys_other() -> i32 { guard::panic_text(0) }
    "#;
    let found = exports(&code_only(source));
    let guarded: Vec<(&str, bool)> = found.iter().map(|(name, body)| (name.as_str(), is_guarded(body))).collect();
    let expected = [
        ("netsys_good", true),
        ("netsys_bare", false),
        ("netsys_before", false),
        ("netsys_after", false),
        ("netsys_other", false),
    ];
    assert_eq!(guarded, expected);
}
