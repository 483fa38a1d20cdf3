//! JSON read into a document.

use std::collections::HashMap;

use jsonc_parser::common::{Range, Ranged};
use jsonc_parser::{CollectOptions, ParseOptions, ast, parse_to_ast};

use super::document::{Entry, Node, Report, Value};

/// Far more than a configuration needs, and little enough for the recursion on the smallest stack.
const MAX_DEPTH: usize = 32;

const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

pub(super) fn parse(text: &str, report: &mut Report<'_>) -> Vec<Entry> {
    if let Some(at) = too_deep(text) {
        report.add(at, "", format!("found more than {MAX_DEPTH} levels of brackets, expected an object of sections"));
        return Vec::new();
    }
    let parsed = match parse_to_ast(text, &CollectOptions::default(), &STRICT) {
        Ok(parsed) => parsed.value,
        Err(error) => {
            report.add_syntax(error.range().start, "", error.kind());
            return Vec::new();
        }
    };
    match parsed {
        None => Vec::new(),
        Some(ast::Value::Object(object)) => Reader { text, report }.entries(object, ""),
        Some(other) => {
            report.add(other.range().start, "", "expected an object of sections: {\"server\": {...}}");
            Vec::new()
        }
    }
}

/// Where the brackets outside strings are too deep.
fn too_deep(text: &str) -> Option<usize> {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Some(at);
        }
    }
    None
}

struct Reader<'a, 'r> {
    text: &'a str,
    report: &'a mut Report<'r>,
}

impl Reader<'_, '_> {
    fn entries(&mut self, object: ast::Object<'_>, path: &str) -> Vec<Entry> {
        let mut first_places = HashMap::new();
        let mut entries = Vec::new();
        for property in object.properties {
            let name = property.name.range();
            let key = property.name.into_string();
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            self.check_string(name, &path);
            if let Some(first) = first_places.insert(key.clone(), name.start) {
                let line = self.report.line(first);
                self.report.add(name.start, &path, format!("found a second time; the first is in line {line}"));
                first_places.insert(key, first);
                continue;
            }
            let node = self.node(property.value, &path);
            entries.push(Entry { key, at: name.start, node });
        }
        entries
    }

    fn node(&mut self, value: ast::Value<'_>, path: &str) -> Node {
        let range = value.range();
        let value = match value {
            ast::Value::BooleanLit(literal) => Value::Switch(literal.value),
            ast::Value::StringLit(literal) => {
                self.check_string(range, path);
                Value::Text(literal.value.into_owned())
            }
            ast::Value::NumberLit(literal) => match literal.value.parse() {
                Ok(number) => Value::Number(number),
                Err(_) => Value::Other(literal.value.to_owned()),
            },
            ast::Value::Object(object) => Value::Table(self.entries(object, path)),
            ast::Value::Array(array) => {
                Value::List(array.elements.into_iter().map(|element| self.node(element, path)).collect())
            }
            ast::Value::NullKeyword(_) => Value::Other("null".into()),
        };
        Node { value, at: range.start }
    }

    /// The parser takes strings over several lines, which JSON does not have.
    fn check_string(&mut self, range: Range, path: &str) {
        let string = &self.text[range.start..range.end];
        if let Some(control) = string.find(|c: char| c < ' ') {
            let character = string.as_bytes()[control];
            let text = format!("found the control character {character:#04x} in a string, expected \\u{character:04x}");
            self.report.add(range.start + control, path, text);
        }
    }
}
