//! Where in the text of a document a field stands, for whoever has to correct it.

/// The line, from 1, of the field that `path` names as [`document::Error`](super::document::Error)
/// does; of what it should be in, where it is not there. `text` is JSON: what is not has no lines.
pub fn line_of(text: &str, path: &str) -> usize {
    let mut scan = Scan { text, at: 0 };
    let line = scan.value(path);
    line.unwrap_or_else(|| scan.line_at(0))
}

/// Goes through JSON once, value by value. Where the text turns out not to be JSON it stops.
struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl Scan<'_> {
    fn line_at(&self, at: usize) -> usize {
        let before = self.text.as_bytes().get(..at).unwrap_or_default();
        before.split(|byte| *byte == b'\n').count()
    }

    fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            if !byte.is_ascii_whitespace() {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    fn take(&mut self, wanted: u8) -> Option<()> {
        let found = self.peek()? == wanted;
        self.at += usize::from(found);
        found.then_some(())
    }

    /// Passes over a value; says the line of what `path` names in it, or of the value itself.
    fn value(&mut self, path: &str) -> Option<usize> {
        let first = self.peek()?;
        let mut line = self.line_at(self.at);
        match first {
            b'{' => {
                self.at += 1;
                while self.peek()? != b'}' {
                    let key_line = self.line_at(self.at);
                    let key = self.string()?;
                    self.take(b':')?;
                    let rest = below(path, &key);
                    let found = self.value(rest.unwrap_or_default())?;
                    match rest {
                        // Of a field that is there twice, the second one.
                        Some("") => line = key_line,
                        Some(_) => line = found,
                        None => {}
                    }
                    let _ = self.take(b',');
                }
                self.at += 1;
            }
            b'[' => {
                self.at += 1;
                let mut index = 0_usize;
                while self.peek()? != b']' {
                    let place = path.strip_prefix(&format!("[{index}]"));
                    let rest = place.map(|rest| rest.strip_prefix('.').unwrap_or(rest));
                    let found = self.value(rest.unwrap_or_default())?;
                    if rest.is_some() {
                        line = found;
                    }
                    let _ = self.take(b',');
                    index += 1;
                }
                self.at += 1;
            }
            b'"' => {
                self.string()?;
            }
            _ => {
                let rest = self.text.get(self.at..)?;
                let end = rest.find([',', ']', '}', ' ', '\t', '\r', '\n']).unwrap_or(rest.len());
                self.at += end.max(1);
            }
        }
        Some(line)
    }

    fn string(&mut self) -> Option<String> {
        self.take(b'"')?;
        let begin = self.at - 1;
        loop {
            match self.text.as_bytes().get(self.at)? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        serde_json::from_str(self.text.get(begin..self.at)?).ok()
    }
}

/// What of a path is left below this key; none where the path does not lead there. Keys of
/// conditions have dots of their own.
fn below<'a>(path: &'a str, key: &str) -> Option<&'a str> {
    let head = path.get(..key.len())?;
    let rest = &path[key.len()..];
    let ends = rest.is_empty() || rest.starts_with(['.', '[']);
    (ends && !key.is_empty() && head.eq_ignore_ascii_case(key))
        .then(|| rest.strip_prefix('.').unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = r#"{
  "version": "2.0",
  "statement": [
    { "effect": "allow", "action": "*", "resource": "*" },
    {
      "Effect": "deny",
      "action": [
        "cvm:*",
        "a \" } \u0041"
      ],
      "condition": { "string_equal": {
        "qcs:tag/a.b": ["x",
          7] } },
      "resource": "*",
      "effect": 1
    }
  ]
}"#;

    #[test]
    fn pc_04_every_field_has_its_line() {
        for (path, line) in [
            ("", 1),
            ("version", 2),
            ("statement", 3),
            ("statement[0]", 4),
            ("statement[0].resource", 4),
            ("statement[1]", 5),
            ("statement[1].action", 7),
            ("statement[1].action[1]", 9),
            ("statement[1].condition.string_equal", 11),
            ("statement[1].condition.string_equal.qcs:tag/a.b", 12),
            ("statement[1].resource", 14),
            // Twice: the second one.
            ("statement[1].effect", 15),
            // Missing: what it should be in.
            ("statement[1].principal", 5),
            ("statement[7].effect", 3),
            ("id", 1),
        ] {
            assert_eq!(line_of(TEXT, path), line, "{path}");
        }
    }

    proptest! {
        #[test]
        fn nothing_brings_it_down(text in ".{0,80}", path in ".{0,20}") {
            line_of(&text, &path);
        }

        #[test]
        fn nothing_like_json_brings_it_down(text in r#"[\[\]{}":,a\\ \n1é]{0,60}"#, path in r"[a\.\[\]01é]{0,12}") {
            prop_assert!(line_of(&text, &path) <= 61);
        }
    }
}
