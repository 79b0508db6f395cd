use super::*;

fn path(name: &str) -> AttributePath<'_> {
    AttributePath { urn: None, name, sub: None }
}

fn eq<'a>(name: &'a str, value: &'a str) -> Filter<'a> {
    Filter::Compare(path(name), Operator::Eq, Literal::Text(Cow::Borrowed(value)))
}

#[test]
fn precedence_is_not_then_and_then_or() {
    assert_eq!(
        Filter::parse(r#"a eq "1" or b eq "2" and not (c eq "3")"#).unwrap(),
        Filter::Or(vec![
            eq("a", "1"),
            Filter::And(vec![eq("b", "2"), Filter::Not(Box::new(eq("c", "3")))]),
        ])
    );
    assert_eq!(
        Filter::parse(r#"(a eq "1" or b eq "2") and c pr"#).unwrap(),
        Filter::And(
            vec![Filter::Or(vec![eq("a", "1"), eq("b", "2")]), Filter::Present(path("c")),]
        )
    );
}

#[test]
fn lenient_forms_mean_the_strict_ones() {
    for (lenient, strict) in [
        (r#"userName EQ "x""#, r#"userName eq "x""#),
        (r#"userName eq"x""#, r#"userName eq "x""#),
        (r#"  userName   eq   "x"  "#, r#"userName eq "x""#),
        (r#"NOT(userName eq "x")"#, r#"not (userName eq "x")"#),
        (r#"a eq "1" AND b pr"#, r#"a eq "1" and b pr"#),
        (r#"emails[type eq "work"].value eq "x""#, r#"emails[type eq "work" and value eq "x"]"#),
    ] {
        assert_eq!(Filter::parse(lenient).unwrap(), Filter::parse(strict).unwrap(), "{lenient}");
    }
    assert_eq!(
        Filter::parse("userName eq bob@example.com").unwrap(),
        Filter::Compare(path("userName"), Operator::Eq, Literal::Bare("bob@example.com"))
    );
}

#[test]
fn strings_are_json_strings() {
    let filter = Filter::parse(r#"a eq "q\"\u00e9\ud83d\ude00\\%_""#).unwrap();
    let Filter::Compare(_, _, literal) = filter else { panic!("a comparison") };
    assert_eq!(literal.text(), Some("q\"é😀\\%_"));
    let plain = Filter::parse(r#"a eq "é %_""#).unwrap();
    let Filter::Compare(_, _, Literal::Text(Cow::Borrowed(text))) = plain else {
        panic!("borrowed")
    };
    assert_eq!(text, "é %_");
}

#[test]
fn refusals_name_the_character() {
    for (text, place) in [
        ("", "character 1"),
        ("userName", "character 9"),
        ("userName eq", "character 12"),
        ("userName xx \"a\"", "character 10"),
        ("userName eq \"a", "character 15"),
        ("userName eq \"a\\", "character 16"),
        (r#"é eq "x""#, "character 1"),
        (r#"a eq "é" or"#, "character 12"),
        (r#"a eq "x" b"#, "character 10"),
        (r#"(a eq "x""#, "character 10"),
        (r#"a eq "x")"#, "character 9"),
        (r#"a[b[c eq "x"]]"#, "character 4"),
        (r#"a.b[c eq "x"]"#, "character 1"),
        (r#"a eq "\q""#, "character 6"),
        ("a eq \"\\u0000\"", "character 6"),
    ] {
        let error = Filter::parse(text).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidFilter, "{text}");
        assert!(error.detail.ends_with(place), "{text}: {}", error.detail);
    }
}

#[test]
fn limits_hold() {
    let deep = "(".repeat(2000) + "a pr" + &")".repeat(2000);
    assert!(Filter::parse(&deep).unwrap_err().detail.contains("deeper"));
    let fine = "(".repeat(MAX_DEPTH) + "a pr" + &")".repeat(MAX_DEPTH);
    assert!(Filter::parse(&fine).is_ok());
    let many = vec!["a pr"; MAX_TERMS + 1].join(" or ");
    let refused = Filter::parse(&many).unwrap_err().detail;
    assert!(refused.contains("comparisons") || refused.contains("Longer"), "{refused}");
    let exactly = vec!["a pr"; 900].join(" or ");
    assert!(Filter::parse(&exactly).is_ok());
    let long = format!("a eq \"{}\"", "x".repeat(MAX_LENGTH));
    assert!(Filter::parse(&long).unwrap_err().detail.contains("Longer"));
}
