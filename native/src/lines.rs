//! The lines of a replay's input, in the usual form.

/// The topics by their numbers (`streams.replay.reading.TOPICS`).
pub const NAMES: [&str; 3] = ["orders", "logistics-scans", "chats"];
pub const SCANS: u8 = 1;
const ENDS: &[u8] = b"}\n";
const FORMS: [[&str; 2]; 2] = [["{\"topic\":\"", "\",\"value\":{"], ["{\"topic\": \"", "\", \"value\": {"]];

/// The topic and the value of a line; None: Python has to tell. Whether the value is one is not looked at.
pub fn parts(line: &[u8]) -> Option<(u8, &[u8])> {
    let line = line.strip_suffix(ENDS)?;
    FORMS.iter().find_map(|[begins, then]| {
        let rest = line.strip_prefix(begins.as_bytes())?;
        NAMES.iter().enumerate().find_map(|(topic, name)| {
            let value = rest.strip_prefix(name.as_bytes())?.strip_prefix(then.as_bytes())?;
            // With its own brace.
            Some((topic as u8, &line[line.len() - value.len() - 1..]))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_in_the_usual_form_has_a_topic_and_a_value() {
        let of = |line: &'static str| parts(line.as_bytes());
        assert_eq!(of("{\"topic\":\"orders\",\"value\":{}}\n"), Some((0, b"{}".as_slice())));
        assert_eq!(of("{\"topic\": \"chats\", \"value\": {\"a\": 1}}\n"), Some((2, b"{\"a\": 1}".as_slice())));
        for odd in [
            "{\"topic\":\"orders\",\"value\":{}}",
            "{\"topic\":\"orders\", \"value\":{}}\n",
            "{\"topic\":\"orders2\",\"value\":{}}\n",
            "{\"topic\":\"orders\",\"value\":null}\n",
            "\n",
            "",
        ] {
            assert_eq!(of(odd), None, "{odd}");
        }
    }
}
