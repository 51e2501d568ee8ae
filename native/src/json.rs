//! A strict reader of JSON objects. It accepts what it is certain of; `None` hands the value back to Python.

use std::borrow::Cow;

/// Nesting that is followed inside unknown fields; what lies deeper is handed back.
const DEEPEST: u32 = 64;

/// A position in UTF-8 text.
pub struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    pub fn new(text: &'a str) -> Self {
        Reader { text, at: 0 }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Takes one byte if it comes next.
    pub fn takes(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Whether nothing but blanks follows.
    pub fn ends(&mut self) -> bool {
        self.blanks();
        self.at == self.text.len()
    }

    fn literal(&mut self, word: &str) -> Option<()> {
        self.text.as_bytes()[self.at..].starts_with(word.as_bytes()).then(|| self.at += word.len())
    }

    /// A string's text, unescaped.
    pub fn string(&mut self) -> Option<Cow<'a, str>> {
        if !self.takes(b'"') {
            return None;
        }
        let text = self.text;
        let start = self.at;
        self.plain()?;
        if self.takes(b'"') {
            return Some(Cow::Borrowed(&text[start..self.at - 1]));
        }
        let mut whole = String::from(&text[start..self.at]);
        loop {
            whole.push(self.escape()?);
            let start = self.at;
            self.plain()?;
            whole.push_str(&text[start..self.at]);
            if self.takes(b'"') {
                return Some(Cow::Owned(whole));
            }
        }
    }

    /// Passes over a string, with the same checks.
    fn skip_string(&mut self) -> Option<()> {
        if !self.takes(b'"') {
            return None;
        }
        loop {
            self.plain()?;
            if self.takes(b'"') {
                return Some(());
            }
            self.escape()?;
        }
    }

    /// Passes over what stands for itself; a quote or a backslash follows.
    fn plain(&mut self) -> Option<()> {
        let rest = &self.text.as_bytes()[self.at..];
        let length = rest.iter().position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20)?;
        self.at += length;
        (rest[length] >= 0x20).then_some(())
    }

    /// One escape. Half a surrogate pair is handed back.
    fn escape(&mut self) -> Option<char> {
        self.takes(b'\\').then_some(())?;
        let kind = self.peek()?;
        self.at += 1;
        Some(match kind {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.hex()?;
                if !(0xD800..0xDC00).contains(&unit) {
                    return char::from_u32(unit);
                }
                self.literal("\\u")?;
                let low = self.hex()?;
                if !(0xDC00..0xE000).contains(&low) {
                    return None;
                }
                return char::from_u32(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00));
            }
            _ => return None,
        })
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4)?;
        self.at += 4;
        digits.iter().try_fold(0, |sum, &digit| Some(sum * 16 + char::from(digit).to_digit(16)?))
    }

    /// A string, or null.
    pub fn string_or_null(&mut self) -> Option<Option<Cow<'a, str>>> {
        if self.peek()? == b'n' {
            self.literal("null")?;
            return Some(None);
        }
        self.string().map(Some)
    }

    /// The one object that the text is: calls for the value of each name, which must not be escaped.
    pub fn object(&mut self, mut member: impl FnMut(&str, &mut Self) -> Option<()>) -> Option<()> {
        self.takes(b'{').then_some(())?;
        loop {
            self.blanks();
            let Cow::Borrowed(name) = self.string()? else {
                // It might be a name that is asked for.
                return None;
            };
            self.blanks();
            self.takes(b':').then_some(())?;
            self.blanks();
            member(name, self)?;
            self.blanks();
            if self.takes(b'}') {
                return self.ends().then_some(());
            }
            self.takes(b',').then_some(())?;
        }
    }

    /// Passes over any value.
    pub fn skip(&mut self) -> Option<()> {
        self.skip_value(0)
    }

    fn skip_value(&mut self, depth: u32) -> Option<()> {
        match self.peek()? {
            b'"' => self.skip_string(),
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            b'n' => self.literal("null"),
            b'-' | b'0'..=b'9' => self.skip_number(),
            open @ (b'{' | b'[') if depth < DEEPEST => {
                self.at += 1;
                let close = if open == b'{' { b'}' } else { b']' };
                self.blanks();
                if self.takes(close) {
                    return Some(());
                }
                loop {
                    self.blanks();
                    if open == b'{' {
                        self.skip_string()?;
                        self.blanks();
                        self.takes(b':').then_some(())?;
                        self.blanks();
                    }
                    self.skip_value(depth + 1)?;
                    self.blanks();
                    if self.takes(close) {
                        return Some(());
                    }
                    self.takes(b',').then_some(())?;
                }
            }
            _ => None,
        }
    }

    fn skip_number(&mut self) -> Option<()> {
        self.takes(b'-');
        if !self.takes(b'0') {
            self.digits()?;
        }
        if self.takes(b'.') {
            self.digits()?;
        }
        if self.takes(b'e') || self.takes(b'E') {
            let _ = self.takes(b'+') || self.takes(b'-');
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_unescaped_and_odd_ones_handed_back() {
        let read = |text: &'static str| Reader::new(text).string().map(Cow::into_owned);
        assert_eq!(read(r#""plain""#).as_deref(), Some("plain"));
        assert_eq!(read(r#""\u4e2d\n\"\ud83d\ude00""#).as_deref(), Some("中\n\"😀"));
        for odd in [r#""\ud83d""#, r#""\ude00""#, r#""\ud83dA""#, r#""\x""#, r#""\u12""#, "\"open", "\"a\nb\""] {
            assert_eq!(read(odd), None, "{odd}");
        }
    }

    #[test]
    fn any_value_is_passed_over_if_it_is_one() {
        let passes = |text: &str| {
            let mut reader = Reader::new(text);
            reader.skip().is_some() && reader.ends()
        };
        for good in ["0", "-1.5e+9", "[]", "{}", r#"[1,{"a":[null,true,false,"\u0041"]}]"#, "1e999"] {
            assert!(passes(good), "{good}");
        }
        for bad in ["01", "1.", "NaN", "-", "[1,]", "{1:2}", r#"{"a"}"#, "nul", "\"", ""] {
            assert!(!passes(bad), "{bad}");
        }
        assert!(passes(&("[".repeat(64) + &"]".repeat(64))));
        assert!(!passes(&("[".repeat(65) + &"]".repeat(65))));
    }
}
