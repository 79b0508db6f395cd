//! A filter means the same in the database and in memory (property test).

use identity_center::scim::{evaluate, filter::Filter, schema::USER_TYPE};
use serde_json::{Map, Value, json};

use super::Directory;
use crate::on_both;

/// A small source of chance with a seed, so that a failure can be had again.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }

    fn of<'a, T: ?Sized>(&mut self, choice: &[&'a T]) -> &'a T {
        choice[self.below(choice.len())]
    }
}

const TEXTS: [&str; 12] = [
    "a",
    "B",
    "ab",
    "%",
    "_",
    "a_b",
    "\\",
    "é",
    "'; DROP TABLE users; --",
    "\u{10ffff}",
    "Ab%",
    "b a",
];
const ATTRIBUTES: [&str; 14] = [
    "userName",
    "displayName",
    "externalId",
    "name.givenName",
    "name.familyName",
    "active",
    "title",
    "emails.value",
    "emails.type",
    "emails",
    "meta.lastModified",
    "nickName",
    "id",
    "unknown",
];
const OPERATORS: [&str; 9] = ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"];

fn text(chance: &mut Chance) -> String {
    let mut text = chance.of(&TEXTS).to_owned();
    if chance.below(3) == 0 {
        text.push_str(chance.of(&TEXTS));
    }
    text
}

fn term(chance: &mut Chance) -> String {
    let attribute = chance.of(&ATTRIBUTES);
    match chance.below(8) {
        0 => format!("{attribute} pr"),
        1 => format!(
            "emails[type eq {} and value {} {}]",
            Value::from(text(chance)),
            chance.of(&OPERATORS),
            Value::from(text(chance))
        ),
        _ => {
            let operator = if attribute == "active" {
                chance.of(&["eq", "ne"])
            } else {
                chance.of(&OPERATORS)
            };
            let literal = match attribute {
                "active" => chance.of(&["true", "false"]).to_owned(),
                "meta.lastModified" => chance
                    .of(&[
                        "\"2026-11-22T08:00:00Z\"",
                        "\"0001-01-01T00:00:00.0000000Z\"",
                        "\"2026-11-22T08:00:00.0000001Z\"",
                        "\"9999-12-31T23:59:59Z\"",
                    ])
                    .to_owned(),
                _ if chance.below(12) == 0 && matches!(operator, "eq" | "ne") => "null".to_owned(),
                _ => Value::from(text(chance)).to_string(),
            };
            format!("{attribute} {operator} {literal}")
        }
    }
}

fn filter(chance: &mut Chance, depth: usize) -> String {
    if depth == 0 {
        return term(chance);
    }
    match chance.below(5) {
        0 => format!("not ({})", filter(chance, depth - 1)),
        1 => format!("({} and {})", filter(chance, depth - 1), filter(chance, depth - 1)),
        2 => format!("({} or {})", filter(chance, depth - 1), filter(chance, depth - 1)),
        3 => format!("{} or {}", term(chance), term(chance)),
        _ => format!("{} and {}", term(chance), filter(chance, depth - 1)),
    }
}

on_both! {
    async fn the_database_and_memory_agree_on_every_filter(house) {
        let acme = Directory::new(house).await;
        let mut chance = Chance(20_261_123);
        for number in 0..60 {
            let mut user = json!({ "userName": format!("{}{number}", text(&mut chance)) });
            for attribute in ["displayName", "externalId", "title", "nickName"] {
                if chance.below(2) == 0 {
                    user[attribute] = text(&mut chance).into();
                }
            }
            if chance.below(2) == 0 {
                user["name"] = json!({ "givenName": text(&mut chance) });
            }
            if chance.below(3) == 0 {
                user["active"] = json!(false);
            }
            let emails: Vec<Value> = (0..chance.below(3))
                .map(|_| json!({ "value": text(&mut chance), "type": text(&mut chance) })).collect();
            user["emails"] = emails.into();
            acme.post("/Users", user).await.expect(201);
        }
        let all = acme.get("/Users?count=1000").await.expect(200);
        let all: Vec<Map<String, Value>> =
            all["Resources"].as_array().unwrap().iter().map(|user| user.as_object().unwrap().clone()).collect();
        let mut compared = 0;
        for round in 0..400 {
            let written = filter(&mut chance, round % 4);
            let parsed = Filter::parse(&written).unwrap();
            let answer = acme.filter("/Users?count=1000&attributes=id", &written).await;
            if evaluate::check(&parsed, &USER_TYPE).is_err() {
                answer.refused(400, Some("invalidFilter"));
                continue;
            }
            let expected: Vec<&Value> = all.iter()
                .filter(|user| evaluate::matches(&parsed, &USER_TYPE, user)).map(|user| &user["id"]).collect();
            let found = answer.expect(200);
            let found: Vec<&Value> = found["Resources"].as_array().unwrap().iter().map(|user| &user["id"]).collect();
            assert_eq!(found, expected, "{written}");
            compared += 1;
        }
        assert!(compared > 300, "{compared}");
    }
}
