use proptest::prelude::*;

use super::{
    catalogue,
    document::{Document, Effect, Problem},
    evaluate::{Context, Decision, Reason, Request, evaluate},
    pattern::{matches, matches_folded},
};

fn document(text: &str) -> Document {
    Document::parse(text).unwrap()
}

/// A document with one statement; `rest` are further fields of it.
fn statement(effect: &str, action: &str, rest: &str) -> Document {
    document(&format!(
        r#"{{"version":"2.0","statement":[{{"effect":"{effect}","action":"{action}","resource":"*"{rest}}}]}}"#
    ))
}

fn decide(documents: &[&Document], action: &str, context: &Context) -> Decision {
    let policies = documents.iter().map(|document| ("policy", *document));
    evaluate(policies, &Request { action, resource: "*", account: 100, context })
}

fn refused(text: &str) -> String {
    Document::parse(text).unwrap_err().to_string()
}

#[test]
fn nothing_is_allowed_unless_a_statement_says_so() {
    let decision = decide(&[], "cvm:RunInstances", &Context::new());
    assert_eq!((decision.allowed, decision.reason), (false, Reason::ImplicitDeny));
    assert_eq!(decision.deciding, None);
    let other = statement("allow", "cvm:Describe*", "");
    assert!(!decide(&[&other], "cvm:RunInstances", &Context::new()).allowed);
}

#[test]
fn a_deny_wins_and_is_named() {
    let allow = statement("allow", "*", "");
    let deny = document(
        r#"{"version":"2.0","statement":[
            {"effect":"allow","action":"*","resource":"*"},
            {"effect":"deny","action":["cos:*","cvm:Run*"],"resource":"*"}]}"#,
    );
    let decision = evaluate(
        [("all", &allow), ("not that", &deny)],
        &Request {
            action: "cvm:RunInstances",
            resource: "*",
            account: 1,
            context: &Context::new(),
        },
    );
    assert_eq!(decision.reason, Reason::ExplicitDeny);
    let deciding = decision.deciding.unwrap();
    assert_eq!((deciding.policy.as_str(), deciding.statement), ("not that", 1));
    assert_eq!(deciding.effect, Effect::Deny);
}

#[test]
fn the_name_prefix_and_the_case_of_actions_do_not_matter() {
    let named = statement("allow", "name/cvm:Describe*", "");
    for action in ["cvm:DescribeInstances", "name/cvm:DescribeInstances", "CVM:describeinstances"] {
        assert!(decide(&[&named], action, &Context::new()).allowed, "{action}");
    }
    assert!(!decide(&[&named], "cvmx:DescribeInstances", &Context::new()).allowed);
}

#[test]
fn resources_are_compared_segment_by_segment() {
    let asked = |pattern: &str, resource: &str| {
        let text = format!(
            r#"{{"version":"2.0","statement":{{"effect":"allow","action":"*","resource":["{pattern}"]}}}}"#
        );
        let document = document(&text);
        let context = Context::new();
        let request =
            Request { action: "cos:GetObject", resource, account: 100, context: &context };
        evaluate([("p", &document)], &request).allowed
    };
    let object = "qcs::cos:ap-shanghai:uin/100:bucket-1/a/b:c.txt";
    assert!(asked("*", object));
    assert!(asked("qcs::cos:*:*:bucket-1/*", object));
    assert!(asked("qcs::cos:ap-*:uin/100:bucket-?/a/*", object));
    assert!(!asked("qcs::cos:ap-guangzhou:uin/100:*", object), "another region");
    assert!(!asked("qcs::cos:*:bucket-1/*:x", object), "a star must not reach over a colon");
    assert!(!asked("qcs::cos:*:*:BUCKET-1/*", object), "resources are exact about case");
    // An empty account is the policy's own account, never somebody else's.
    assert!(asked("qcs::cos:::bucket-1/*", object));
    assert!(!asked("qcs::cos:::bucket-1/*", "qcs::cos:ap-shanghai:uin/101:bucket-1/a"));
    // A question without a resource is only covered by everything.
    assert!(asked("*", "*"));
    assert!(!asked("qcs::cos:*:*:*", "*"));
}

#[test]
fn conditions() {
    let facts = Context::new()
        .with("qcs:ip", "10.1.2.3")
        .with("qcs:mfa", "true")
        .with("count", "9007199254740993")
        .with("when", "2026-11-22T08:00:00Z")
        .with("team", "red")
        .with("team", "blue");
    for (block, holds) in [
        (r#""ip_equal":{"qcs:ip":["10.0.0.0/8","192.0.2.1"]}"#, true),
        (r#""ip_equal":{"qcs:ip":"11.0.0.0/8"}"#, false),
        (r#""ip_not_equal":{"qcs:ip":"11.0.0.0/8"}"#, true),
        (r#""ip_not_equal":{"qcs:ip":["11.0.0.0/8","10.0.0.0/8"]}"#, false),
        (r#""IP_Equal":{"QCS:IP":"10.1.2.3"}"#, true),
        (r#""bool_equal":{"qcs:mfa":true}"#, true),
        (r#""bool_equal":{"qcs:mfa":"false"}"#, false),
        (r#""numeric_equal":{"count":9007199254740993}"#, true),
        (r#""numeric_equal":{"count":9007199254740992}"#, false),
        (r#""numeric_less_than":{"count":"9007199254740993.5"}"#, true),
        (r#""numeric_greater_than_equal":{"count":9007199254740993}"#, true),
        (r#""numeric_greater_than":{"count":9007199254740993}"#, false),
        (r#""numeric_not_equal":{"count":-1}"#, true),
        (r#""date_less_than":{"when":"2026-11-22T08:00:01Z"}"#, true),
        (r#""date_less_than":{"when":"2026-11-22T16:00:00+08:00"}"#, false),
        (r#""date_greater_than_equal":{"when":"2026-11-22T08:00:00Z"}"#, true),
        (r#""string_equal":{"team":"blue"}"#, true),
        (r#""string_equal":{"team":"Blue"}"#, false),
        (r#""string_equal_ignore_case":{"team":"Blue"}"#, true),
        (r#""string_not_equal":{"team":"blue"}"#, false),
        (r#""string_not_equal":{"team":"green"}"#, true),
        (r#""string_like":{"team":"bl*"}"#, true),
        (r#""string_not_like":{"team":"g*"}"#, true),
        (r#""for_all_value:string_equal":{"team":["red","blue"]}"#, true),
        (r#""for_all_value:string_equal":{"team":["red"]}"#, false),
        (r#""for_any_value:string_not_equal":{"team":["red"]}"#, true),
        (r#""string_equal":{"absent":"x"}"#, false),
        (r#""string_equal_if_exist":{"absent":"x"}"#, true),
        (r#""string_equal_if_exist":{"team":"green"}"#, false),
        (r#""null_equal":{"absent":true}"#, true),
        (r#""null_equal":{"team":"true"}"#, false),
        // All operators and all keys must hold.
        (r#""string_equal":{"team":"red"},"ip_equal":{"qcs:ip":"11.0.0.1"}"#, false),
        (r#""string_equal":{"team":"red","qcs:ip":"no"}"#, false),
    ] {
        for effect in ["allow", "deny"] {
            let conditional = statement(effect, "*", &format!(r#","condition":{{{block}}}"#));
            let all = statement("allow", "*", "");
            let spoke = match effect {
                "allow" => decide(&[&conditional], "a:B", &facts).allowed,
                _ => !decide(&[&all, &conditional], "a:B", &facts).allowed,
            };
            assert_eq!(spoke, holds, "{effect} {block}");
        }
    }
}

#[test]
fn what_is_not_understood_is_decided_against_access() {
    let facts = Context::new().with("qcs:ip", "not an address");
    for block in [
        r#""some_new_operator":{"qcs:ip":"x"}"#,
        r#""for_some_value:string_equal":{"qcs:ip":"x"}"#,
        r#""ip_equal":{"qcs:ip":"10.0.0.0/8"}"#,
        r#""ip_not_equal":{"qcs:ip":"10.0.0.0/8"}"#,
        r#""ip_not_equal":{"absent":"10.0.0.0/8"}"#,
    ] {
        let condition = format!(r#","condition":{{{block}}}"#);
        let allow = statement("allow", "*", &condition);
        assert!(!decide(&[&allow], "a:B", &facts).allowed, "allow {block}");
        let deny = statement("deny", "*", &condition);
        let all = statement("allow", "*", "");
        assert!(!decide(&[&all, &deny], "a:B", &facts).allowed, "deny {block}");
    }
    let odd = statement("allow", "*", r#","condition":{"some_new_operator":{"k":"x"}}"#);
    assert_eq!(odd.unknown_operators(), ["statement[0].condition.some_new_operator"]);
}

#[test]
fn keys_have_no_case_and_single_values_stand_for_lists() {
    let shouting = document(
        r#"{"VERSION":"2.0","Statement":{"Effect":"Allow","Action":"cvm:*","Resource":"*"}}"#,
    );
    let plain = document(
        r#"{"version":"2.0","statement":[{"effect":"allow","action":["cvm:*"],"resource":["*"]}]}"#,
    );
    assert_eq!(shouting, plain);
    assert_eq!(shouting.to_json(), plain.to_json());
}

#[test]
fn a_refusal_names_its_place() {
    let one = |fields: &str| format!(r#"{{"version":"2.0","statement":[{fields}]}}"#);
    let good = r#""effect":"allow","action":"*","resource":"*""#;
    insta::assert_snapshot!(
        [
            "{".to_owned(),
            "[]".to_owned(),
            r#"{"statement":[]}"#.to_owned(),
            r#"{"version":"1.0","statement":[]}"#.to_owned(),
            r#"{"version":2.0,"statement":[]}"#.to_owned(),
            r#"{"version":"2.0","statement":[]}"#.to_owned(),
            r#"{"version":"2.0","statement":"x"}"#.to_owned(),
            format!(r#"{{"version":"2.0","Version":"2.0","statement":[{{{good}}}]}}"#),
            format!(r#"{{"version":"2.0","id":1,"statement":[{{{good}}}]}}"#),
            one(&format!("{{{good}}},1")),
            one(r#"{"effect":"permit","action":"*","resource":"*"}"#),
            one(r#"{"effect":"allow","Effect":"deny","action":"*","resource":"*"}"#),
            one(r#"{"effect":"allow","resource":"*"}"#),
            one(r#"{"effect":"allow","action":[],"resource":"*"}"#),
            one(r#"{"effect":"allow","action":["cvm:*","describe"],"resource":"*"}"#),
            one(r#"{"effect":"allow","action":["cvm:*",7],"resource":"*"}"#),
            one(r#"{"effect":"allow","action":"*","resource":"qcs::cvm:*"}"#),
            one(&format!(r#"{{{good},"principal":{{"qcs":["*"]}}}}"#)),
            one(&format!(r#"{{{good},"condition":[]}}"#)),
            one(&format!(r#"{{{good},"condition":{{"ip_equal":{{"qcs:ip":"10.0.0.0/99"}}}}}}"#)),
            one(&format!(r#"{{{good},"condition":{{"ip_equal":{{"qcs:ip":[]}}}}}}"#)),
            one(&format!(r#"{{{good},"condition":{{"ip_equal":{{}}}}}}"#)),
            one(&format!(r#"{{{good},"condition":{{"string_equal":{{"k":null}}}}}}"#)),
        ]
        .map(|text| refused(&text))
        .join("\n"),
        @r#"
    not valid JSON at line 1, column 1
    must be an object
    version: is missing
    version: must be "2.0"
    version: must be "2.0"
    statement: must not be empty
    statement: must be a list of statements
    Version: appears twice
    id: is not a field of a policy
    statement[1]: must be an object
    statement[0].effect: must be allow or deny
    statement[0].Effect: appears twice
    statement[0].action: is missing
    statement[0].action: must not be empty
    statement[0].action[1]: must be "*" or of the form service:Action
    statement[0].action[1]: must be a string
    statement[0].resource: must be "*" or of the form qcs:project:service:region:account:resource
    statement[0].principal: is not a field of a policy
    statement[0].condition: must be an object
    statement[0].condition.ip_equal.qcs:ip: holds a value that this operator cannot compare
    statement[0].condition.ip_equal.qcs:ip: must not be empty
    statement[0].condition.ip_equal: must not be empty
    statement[0].condition.string_equal.k: must be a string, number or boolean, or a list of them
    "#
    );
    let long = format!(r#"{{"version":"2.0","statement":[{{{good}}}]}}{}"#, " ".repeat(6144));
    assert_eq!(Document::parse(&long).unwrap_err().problem, Problem::TooLong);
    // Nesting deeper than the parser's limit is an error, not a stack overflow.
    assert!(Document::parse(&"[".repeat(6000)).is_err());
}

#[test]
fn the_catalogue_is_whole() {
    let presets = catalogue::all();
    let products = presets.iter().filter(|preset| preset.id >= 1000).count() / 2;
    assert!(products >= 40, "{products}");
    for pair in presets.windows(2) {
        assert!(pair[0].id < pair[1].id, "ids ascend: {} {}", pair[0].name, pair[1].name);
    }
    for preset in presets {
        let text = preset.document.to_json();
        assert_eq!(Document::parse(&text).as_ref(), Ok(&preset.document), "{}", preset.name);
        assert_eq!(catalogue::by_id(preset.id).map(|found| &found.name), Some(&preset.name));
        assert_eq!(catalogue::by_name(&preset.name).map(|found| found.id), Some(preset.id));
        assert!(!preset.description.is_empty());
        // RolePolicyNames in the API: at most 32 characters each.
        assert!(preset.name.len() <= 32, "{}", preset.name);
    }
    assert_eq!(catalogue::by_id(1).unwrap().name, "AdministratorAccess");
    assert_eq!(catalogue::by_id(0).map(|found| &found.name), None);
    assert!(catalogue::search("qcloudcvm").count() >= 2);
}

#[test]
fn presets_grant_what_their_names_say() {
    let may = |name: &str, action: &str| {
        decide(&[&catalogue::by_name(name).unwrap().document], action, &Context::new()).allowed
    };
    for (name, action, expected) in [
        ("AdministratorAccess", "cam:CreateUser", true),
        ("ReadOnlyAccess", "cvm:DescribeInstances", true),
        ("ReadOnlyAccess", "cos:GetObject", true),
        ("ReadOnlyAccess", "cvm:RunInstances", false),
        ("QCloudResourceFullAccess", "cvm:RunInstances", true),
        ("QCloudResourceFullAccess", "cam:CreateUser", false),
        ("QCloudResourceFullAccess", "sts:AssumeRole", false),
        ("QCloudResourceFullAccess", "organization:CreateUser", false),
        ("QcloudOrganizationFullAccess", "organization:CreateUser", true),
        ("QcloudOrganizationFullAccess", "cam:CreateUser", false),
        ("QcloudOrganizationReadOnlyAccess", "organization:ListUsers", true),
        ("QcloudOrganizationReadOnlyAccess", "organization:CreateUser", false),
        ("QcloudCVMFullAccess", "cvm:TerminateInstances", true),
        ("QcloudCVMReadOnlyAccess", "cvm:DescribeInstances", true),
        ("QcloudCVMReadOnlyAccess", "cvm:TerminateInstances", false),
        ("QcloudCOSReadOnlyAccess", "cos:PutObject", false),
        ("QcloudCDBFullAccess", "cvm:TerminateInstances", false),
    ] {
        assert_eq!(may(name, action), expected, "{name} {action}");
    }
}

/// What a wildcard means, as plainly as it can be said.
fn oracle(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), _) => (0..=text.len()).any(|taken| oracle(rest, &text[taken..])),
        (Some(('?', rest)), Some((_, others))) => oracle(rest, others),
        (Some((wanted, rest)), Some((found, others))) => wanted == found && oracle(rest, others),
        _ => false,
    }
}

#[test]
fn many_stars_cost_nothing() {
    let pattern = "*a".repeat(500) + "b";
    let text = "a".repeat(20_000);
    assert!(!matches(&pattern, &text));
    assert!(matches_folded(&pattern, &(text + "B")));
}

fn statements() -> impl Strategy<Value = Vec<String>> {
    let action = prop::sample::select(vec!["*", "cvm:*", "cvm:Run*", "cos:*", "?vm:*Instances"]);
    let resource = prop::sample::select(vec!["*", "qcs::cvm:*:*:*", "qcs::cvm:ap:uin/100:i/?"]);
    let condition = prop::sample::select(vec![
        "",
        r#","condition":{"string_equal":{"k":"v"}}"#,
        r#","condition":{"string_not_equal":{"absent":"v"}}"#,
        r#","condition":{"mystery":{"k":"v"}}"#,
    ]);
    let one = (prop::bool::ANY, action, resource, condition).prop_map(
        |(allow, action, resource, condition)| {
            let effect = if allow { "allow" } else { "deny" };
            format!(
                r#"{{"effect":"{effect}","action":"{action}","resource":"{resource}"{condition}}}"#
            )
        },
    );
    prop::collection::vec(one, 1..6)
}

fn outcome(statements: &[String], action: &str, resource: &str) -> (bool, Reason) {
    let text = format!(r#"{{"version":"2.0","statement":[{}]}}"#, statements.join(","));
    let document = document(&text);
    let context = Context::new().with("k", "v");
    let request = Request { action, resource, account: 100, context: &context };
    let decision = evaluate([("p", &document)], &request);
    assert_eq!(decision.allowed, decision.reason == Reason::Allowed);
    (decision.allowed, decision.reason)
}

proptest! {
    #[test]
    fn the_matcher_agrees_with_the_oracle(
        pattern in "[ab*?é]{0,8}",
        text in "[abé]{0,8}",
    ) {
        let letters = |text: &str| text.chars().collect::<Vec<_>>();
        prop_assert_eq!(matches(&pattern, &text), oracle(&letters(&pattern), &letters(&text)));
    }

    #[test]
    fn order_never_matters(
        (written, shuffled) in statements()
            .prop_flat_map(|list| (Just(list.clone()), Just(list).prop_shuffle())),
        action in prop::sample::select(vec!["cvm:RunInstances", "cos:GetObject", "x:Y"]),
        resource in prop::sample::select(vec!["*", "qcs::cvm:ap:uin/100:i/1"]),
    ) {
        prop_assert_eq!(
            outcome(&written, action, resource),
            outcome(&shuffled, action, resource)
        );
    }

    #[test]
    fn another_deny_never_widens(
        list in statements(),
        more in statements(),
        action in prop::sample::select(vec!["cvm:RunInstances", "cos:GetObject", "x:Y"]),
        resource in prop::sample::select(vec!["*", "qcs::cvm:ap:uin/100:i/1"]),
    ) {
        let denies = more.into_iter().map(|text| text.replace("allow", "deny"));
        let longer: Vec<String> = list.iter().cloned().chain(denies).collect();
        let (before, _) = outcome(&list, action, resource);
        let (after, _) = outcome(&longer, action, resource);
        prop_assert!(before || !after);
    }

    #[test]
    fn parsing_never_panics(text in r"[ -~]{0,60}") {
        let _ = Document::parse(&text);
    }
}
