//! Each code that the library can give is given in a test: this reads the sources and looks for it.

use std::fs;
use std::path::Path;

use network_system::error::Code;

/// The texts of the files below `folder` that have one of the endings.
fn read(folder: &str, endings: &[&str]) -> Vec<(String, String)> {
    fn visit(path: &Path, endings: &[&str], found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            let name = path.to_string_lossy().into_owned();
            if path.is_dir() {
                visit(&path, endings, found);
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    visit(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), endings, &mut found);
    found
}

/// `WouldBlock` becomes `would_block`.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[test]
fn every_code_that_can_be_given_is_given_in_a_test() {
    let (mut product, mut tests) = (String::new(), String::new());
    for (name, text) in read("src", &[".rs"]) {
        if name.ends_with("src/error.rs") {
            continue;
        }
        let (code, unit_tests) = text.split_once("#[cfg(test)]").unwrap_or((&text, ""));
        if name.ends_with("tests.rs") {
            tests.push_str(&text);
        } else {
            product.push_str(code);
            tests.push_str(unit_tests);
        }
    }
    for (name, text) in read("include/network_system", &[".h"]) {
        // That is where the codes have their C++ names.
        if !name.contains("/result_types") {
            product.push_str(&text);
        }
    }
    for (name, text) in read("tests", &[".rs", ".c", ".cpp", ".py", ".sh", ".h"]) {
        if !name.ends_with("error_codes.rs") {
            tests.push_str(&text);
        }
    }
    let mut missing = Vec::new();
    for code in Code::ALL {
        let names = [
            format!("Code::{code:?}"),
            code.name().to_str().unwrap().to_owned(),
            format!("network_system::{}", snake(&format!("{code:?}"))),
            format!("common_errors::{}", snake(&format!("{code:?}"))),
        ];
        let whole = |text: &str, name: &str| {
            text.match_indices(name).any(|(at, _)| {
                let next = text[at + name.len()..].chars().next().unwrap_or(' ');
                !next.is_alphanumeric() && next != '_'
            })
        };
        let given = names.iter().any(|name| whole(&product, name));
        let tested = names.iter().any(|name| whole(&tests, name));
        if given && !tested {
            missing.push(code);
        }
    }
    assert!(missing.is_empty(), "no test gives {missing:?}");
}
