//! Conditions of a statement: under which circumstances it speaks at all.
//!
//! A condition is three-valued. *Unknown* comes from an operator we do not know, from a fact that
//! cannot be read, and from a negated comparison with a fact nobody stated. An allow needs every
//! condition to hold; a deny is only set aside by a condition that surely does not hold. So
//! whatever we do not understand is decided against access.

use std::{net::IpAddr, str::FromStr};

use ipnet::IpNet;
use jiff::Timestamp;

use super::{document::Problem, evaluate::Context, pattern};

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Holds,
    /// It does not hold.
    Fails,
    /// Nobody can tell; see the module's text.
    Unknown,
}

impl Verdict {
    fn from_bool(holds: bool) -> Self {
        if holds { Self::Holds } else { Self::Fails }
    }

    fn negated_if(self, negated: bool) -> Self {
        match self {
            Self::Holds if negated => Self::Fails,
            Self::Fails if negated => Self::Holds,
            same => same,
        }
    }
}

/// One key of one operator block: `"ip_equal": {"qcs:ip": ["10.0.0.0/8"]}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The operator as written, for showing and for errors.
    operator: String,
    test: Option<Test>,
    key: String,
    values: Vec<String>,
}

/// A known operator with its operands already read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Test {
    operands: Operands,
    negated: bool,
    /// `…_if_exist`: holds when the fact is absent.
    if_exist: bool,
    quantity: Quantity,
}

/// How many of a fact's values must match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantity {
    /// One for a plain comparison, all for a negated one ("none of them is").
    Plain,
    /// `for_any_value:`: one.
    Any,
    /// `for_all_value:`: all.
    All,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Operands {
    Text(Vec<String>),
    FoldedText(Vec<String>),
    Like(Vec<String>),
    Address(Vec<IpNet>),
    Truth(Vec<bool>),
    Number(Order, Vec<i128>),
    Date(Order, Vec<Timestamp>),
    Absent(Vec<bool>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    fn holds<T: PartialOrd>(self, stated: &T, operand: &T) -> bool {
        match self {
            Self::Equal => stated == operand,
            Self::Less => stated < operand,
            Self::LessOrEqual => stated <= operand,
            Self::Greater => stated > operand,
            Self::GreaterOrEqual => stated >= operand,
        }
    }
}

impl Condition {
    /// Reads one key of an operator block. An operator we do not know is kept and is *unknown*
    /// for ever; an operand that a known operator cannot read is an error.
    pub fn parse(operator: &str, key: &str, values: Vec<String>) -> Result<Self, Problem> {
        if key.is_empty() || key.len() > 256 {
            return Err(Problem::BadConditionKey);
        }
        let test = Test::parse(operator, &values)?;
        Ok(Self { operator: operator.to_owned(), test, key: key.to_owned(), values })
    }

    /// The operator as written.
    pub fn operator(&self) -> &str {
        &self.operator
    }

    /// The fact that is compared, `qcs:ip`.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The values it is compared with, as written.
    pub fn values(&self) -> &[String] {
        &self.values
    }

    /// Is this an operator that [`Condition::holds`] can decide?
    pub fn is_known(&self) -> bool {
        self.test.is_some()
    }

    /// Whether the condition holds in `context`.
    pub fn holds(&self, context: &Context) -> Verdict {
        let Some(test) = &self.test else { return Verdict::Unknown };
        let stated = context.get(&self.key);
        if let Operands::Absent(wanted) = &test.operands {
            return Verdict::from_bool(wanted.contains(&stated.is_empty()));
        }
        if stated.is_empty() {
            return if test.if_exist {
                Verdict::Holds
            } else if test.negated {
                Verdict::Unknown
            } else {
                Verdict::Fails
            };
        }
        let verdicts = stated.iter().map(|stated| test.operands.compare(stated));
        let verdicts: Vec<Verdict> =
            verdicts.map(|verdict| verdict.negated_if(test.negated)).collect();
        let all = match test.quantity {
            Quantity::Plain => test.negated,
            Quantity::Any => false,
            Quantity::All => true,
        };
        let (decisive, otherwise) =
            if all { (Verdict::Fails, Verdict::Holds) } else { (Verdict::Holds, Verdict::Fails) };
        if verdicts.contains(&decisive) {
            decisive
        } else if verdicts.contains(&Verdict::Unknown) {
            Verdict::Unknown
        } else {
            otherwise
        }
    }
}

impl Test {
    fn parse(operator: &str, values: &[String]) -> Result<Option<Self>, Problem> {
        let folded = operator.to_ascii_lowercase();
        let (quantity, rest) = match folded.split_once(':') {
            Some(("for_all_value", rest)) => (Quantity::All, rest),
            Some(("for_any_value", rest)) => (Quantity::Any, rest),
            Some(_) => return Ok(None),
            None => (Quantity::Plain, folded.as_str()),
        };
        let (if_exist, rest) = match rest.strip_suffix("_if_exist") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let (negated, operands) = match rest {
            "string_equal" => (false, Operands::Text(values.to_vec())),
            "string_not_equal" => (true, Operands::Text(values.to_vec())),
            "string_equal_ignore_case" => (false, Operands::FoldedText(values.to_vec())),
            "string_not_equal_ignore_case" => (true, Operands::FoldedText(values.to_vec())),
            "string_like" => (false, Operands::Like(values.to_vec())),
            "string_not_like" => (true, Operands::Like(values.to_vec())),
            "ip_equal" => (false, Operands::Address(read(values, address)?)),
            "ip_not_equal" => (true, Operands::Address(read(values, address)?)),
            "bool_equal" => (false, Operands::Truth(read(values, truth)?)),
            "null_equal" => (false, Operands::Absent(read(values, truth)?)),
            _ => {
                let (date, order) =
                    match (rest.strip_prefix("date_"), rest.strip_prefix("numeric_")) {
                        (Some(order), _) => (true, order),
                        (None, Some(order)) => (false, order),
                        (None, None) => return Ok(None),
                    };
                let (negated, order) = match order {
                    "equal" => (false, Order::Equal),
                    "not_equal" => (true, Order::Equal),
                    "less_than" => (false, Order::Less),
                    "less_than_equal" => (false, Order::LessOrEqual),
                    "greater_than" => (false, Order::Greater),
                    "greater_than_equal" => (false, Order::GreaterOrEqual),
                    _ => return Ok(None),
                };
                let operands = if date {
                    Operands::Date(order, read(values, moment)?)
                } else {
                    Operands::Number(order, read(values, number)?)
                };
                (negated, operands)
            }
        };
        Ok(Some(Self { operands, negated, if_exist, quantity }))
    }
}

impl Operands {
    /// Does one stated value match one of the operands?
    fn compare(&self, stated: &str) -> Verdict {
        match self {
            Self::Text(values) => Verdict::from_bool(values.iter().any(|value| value == stated)),
            Self::FoldedText(values) => {
                Verdict::from_bool(values.iter().any(|value| value.eq_ignore_ascii_case(stated)))
            }
            Self::Like(values) => {
                Verdict::from_bool(values.iter().any(|value| pattern::matches(value, stated)))
            }
            Self::Address(networks) => match IpAddr::from_str(stated) {
                Ok(address) => {
                    let address = address.to_canonical();
                    Verdict::from_bool(networks.iter().any(|network| network.contains(&address)))
                }
                Err(_) => Verdict::Unknown,
            },
            Self::Truth(values) => decide(truth(stated), |stated| values.contains(stated)),
            Self::Number(order, values) => decide(number(stated), |stated| {
                values.iter().any(|value| order.holds(stated, value))
            }),
            Self::Date(order, values) => decide(moment(stated), |stated| {
                values.iter().any(|value| order.holds(stated, value))
            }),
            // Answered by the caller, who knows whether anything was stated at all.
            Self::Absent(_) => Verdict::Fails,
        }
    }
}

fn decide<T>(stated: Option<T>, holds: impl Fn(&T) -> bool) -> Verdict {
    match stated {
        Some(stated) => Verdict::from_bool(holds(&stated)),
        None => Verdict::Unknown,
    }
}

fn read<T>(values: &[String], one: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, Problem> {
    values.iter().map(|value| one(value).ok_or(Problem::BadConditionValue)).collect()
}

fn address(text: &str) -> Option<IpNet> {
    let network: IpNet = match IpAddr::from_str(text) {
        Ok(address) => IpNet::from(address.to_canonical()),
        Err(_) => text.parse().ok()?,
    };
    Some(network)
}

fn truth(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// A decimal number in billionths, so that comparing is exact: CAM account numbers and sizes in
/// bytes do not fit a float. At most 18 digits before the point and 9 after it.
fn number(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || whole.len() > 18 || fraction.len() > 9 {
        return None;
    }
    let billionths: i128 = format!("{whole}{fraction:0<9}").parse().ok()?;
    Some(if negative { -billionths } else { billionths })
}

/// A moment in RFC 3339 (`2026-11-22T08:00:00Z`), which is how CAM writes dates.
fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}
