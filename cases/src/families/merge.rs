//! How a value changes the case: tables are merged, header lists grow, everything else is replaced.

use toml::{Table, Value};

/// Applies what a value changes.
///
/// Besides the keys of cases there are `each-hop` and `hop-1`, `hop-2` … for what redirects have in common and for one of them, and
/// `each-step` and `step-1`, `step-2` … for steps. They change what is there when their axis comes.
pub(super) fn apply(case: &mut Table, patch: &Table) -> Result<(), String> {
    // Lists first, whatever then changes their elements after them, and single elements last.
    let rank = |key: &str| usize::from(part(key).is_some()) + usize::from(matches!(part(key), Some((_, Some(_)))));
    let mut keys: Vec<_> = patch.iter().collect();
    keys.sort_by_key(|(key, _)| rank(key));
    for (key, value) in keys {
        match part(key) {
            None => merge(case, key, value)?,
            Some((list, which)) => {
                let Value::Table(change) = value else { return Err(format!("`{key}` is no table")) };
                let elements = match case.get_mut(list) {
                    Some(Value::Array(elements)) => elements.as_mut_slice(),
                    _ => &mut [],
                };
                let chosen = match which {
                    None => elements,
                    Some(n) => elements.get_mut(n - 1..n).ok_or_else(|| format!("`{key}` has nothing to change: `{list}` is shorter"))?,
                };
                for element in chosen {
                    let Value::Table(element) = element else { return Err(format!("`{list}` is no list of tables")) };
                    apply(element, change)?;
                }
            }
        }
    }
    Ok(())
}

/// The list that a key reaches into, and the number of the element, from 1.
fn part(key: &str) -> Option<(&'static str, Option<usize>)> {
    let lists = [("hop", "redirects"), ("step", "steps")];
    lists.iter().find_map(|(word, list)| {
        if key.strip_prefix("each-") == Some(word) {
            return Some((*list, None));
        }
        let n = key.strip_prefix(word)?.strip_prefix('-')?.parse::<usize>().ok()?;
        (n > 0).then_some((*list, Some(n)))
    })
}

fn merge(case: &mut Table, key: &str, value: &Value) -> Result<(), String> {
    match (case.get_mut(key), value) {
        (Some(Value::Table(old)), Value::Table(new)) => return apply(old, new),
        (Some(Value::Array(old)), Value::Array(new)) if key == "headers" => old.extend(new.iter().cloned()),
        (_, Value::Table(new)) => {
            // A table of its own may hold changes to lists, too.
            let mut fresh = Table::new();
            apply(&mut fresh, new)?;
            case.insert(key.to_owned(), Value::Table(fresh));
        }
        (_, new) => {
            case.insert(key.to_owned(), new.clone());
        }
    }
    Ok(())
}

/// Puts a byte where texts have `{byte}`, the notation of bytes, or `{char}`, that of texts.
pub(super) fn put_byte(value: &mut Value, byte: u8) {
    match value {
        Value::String(text) if text.contains("{byte}") => *text = text.replace("{byte}", &format!("\\x{byte:02x}")),
        Value::String(text) if text.contains("{char}") => {
            let brace = matches!(byte, b'{' | b'}');
            *text = text.replace("{char}", &String::from(char::from(byte)).repeat(if brace { 2 } else { 1 }));
        }
        Value::Array(all) => all.iter_mut().for_each(|value| put_byte(value, byte)),
        Value::Table(table) => table.iter_mut().for_each(|(_, value)| put_byte(value, byte)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        toml::from_str(text).expect("it is TOML")
    }

    fn applied(base: &str, patches: &[&str]) -> Result<Table, String> {
        let mut case = table(base);
        for patch in patches {
            apply(&mut case, &table(patch))?;
        }
        Ok(case)
    }

    #[test]
    fn tables_merge_headers_grow_and_the_rest_is_replaced() {
        let made = applied(
            r#"request = { to = "b", headers = [["A", "1"]] }"#,
            &[r#"request.headers = [["B", "2"]]"#, r#"request = { to = "c", method = "PUT" }"#, r#"response.status = 204"#],
        );
        let wanted = r#"request = { to = "c", method = "PUT", headers = [["A", "1"], ["B", "2"]] }
            response = { status = 204 }"#;
        assert_eq!(made, Ok(table(wanted)));
    }

    #[test]
    fn bytes_are_put_where_there_is_room() {
        let put = |text: &str, byte| {
            let mut value = Value::Table(table(text));
            put_byte(&mut value, byte);
            value
        };
        let made = put(r#"response.headers = [["A", 'x{byte}{origin}']]"#, 0x7f);
        assert_eq!(made, Value::Table(table(r#"response.headers = [["A", 'x\x7f{origin}']]"#)));
        assert_eq!(put(r#"a = ["{char}"]"#, b'{'), Value::Table(table(r#"a = ["{{"]"#)));
        assert_eq!(put(r#"a = ["{char}"]"#, 0xe9), Value::Table(table(r#"a = ["\u00e9"]"#)));
    }

    #[test]
    fn elements_of_lists_are_reached() {
        let made = applied(
            "",
            &[
                r#"redirects = [{ to = "b" }, { to = "c" }]
                   each-hop.status = 302"#,
                "hop-2 = { status = 307, preflight.status = 204 }",
            ],
        );
        let wanted = r#"redirects = [{ to = "b", status = 302 }, { to = "c", status = 307, preflight = { status = 204 } }]"#;
        assert_eq!(made, Ok(table(wanted)));
        let error = applied("", &["hop-1.status = 302"]).expect_err("there is no hop");
        assert!(error.contains("redirects"), "{error}");
        assert_eq!(applied("", &["each-hop.status = 302"]), Ok(Table::new()));
    }
}
