//! Bulk requests (RFC 7644 §3.7): many operations in one body, which may name what others of
//! them make (`bulkId:…`).
//!
//! [`Bulk::parse`] reads the body, [`Bulk::start`] gives every resource that is to be made its id
//! and decides the order, [`Run`] hands out what is to be done and collects what came of it. What
//! is done, and in which transaction, is up to whoever drives the run.

mod operation;
mod order;
mod reference;
mod run;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use serde_json::{Map, Value};

pub use operation::{Endpoint, Method};
pub use run::{Done, Failure, Run, Step, Unit, response};

use super::error::{Error, ErrorKind};
use operation::Operation;

/// A bulk request that was read.
#[derive(Debug)]
pub struct Bulk {
    operations: Vec<Operation>,
    /// How many errors end the request; none when all operations are tried.
    fail_on_errors: Option<usize>,
}

impl Bulk {
    /// Reads the body of `POST /Bulk`, which may hold `max_operations`.
    ///
    /// Refused as a whole is only what cannot be taken apart into operations, and more of them
    /// than allowed (413, RFC 7644 §3.7.4). What is wrong with one operation is its own error.
    pub fn parse(body: Map<String, Value>, max_operations: usize) -> Result<Self, Error> {
        let (mut list, mut fail_on_errors) = (None, None);
        for (name, value) in body {
            let slot = if name.eq_ignore_ascii_case("Operations") {
                &mut list
            } else if name.eq_ignore_ascii_case("failOnErrors") {
                &mut fail_on_errors
            } else {
                continue;
            };
            if slot.replace(value).is_some() {
                let detail = format!("{name} appears twice, in different letter case");
                return Err(Error::new(ErrorKind::InvalidSyntax, detail));
            }
        }
        let Some(Value::Array(list)) = list else {
            return Err(Error::new(ErrorKind::InvalidSyntax, "Operations must be a list"));
        };
        if list.len() > max_operations {
            let detail = format!(
                "The request has {} operations; at most maxOperations ({max_operations}) are taken",
                list.len()
            );
            return Err(Error::new(ErrorKind::PayloadTooLarge, detail));
        }
        let fail_on_errors = match fail_on_errors {
            None | Some(Value::Null) => None,
            // Who accepts no error at all is stopped by the first one, too.
            Some(Value::Number(number)) if number.is_u64() => {
                let most = number.as_u64().and_then(|most| usize::try_from(most).ok());
                Some(most.unwrap_or(usize::MAX).max(1))
            }
            Some(_) => {
                let detail = "failOnErrors must be a whole number, not negative";
                return Err(Error::new(ErrorKind::InvalidValue, detail));
            }
        };
        let mut operations: Vec<Operation> = list.into_iter().map(Operation::read).collect();
        link(&mut operations);
        Ok(Self { operations, fail_on_errors })
    }

    /// How many operations there are.
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// Gives every resource that is to be made the id that `new_id` answers, and decides the order.
    pub fn start(self, new_id: impl FnMut(Endpoint) -> String) -> Run {
        Run::new(self, new_id)
    }
}

/// Finds the operation that each reference means. Ids must be unique (RFC 7644 §3.7): of several
/// operations with one id the first has it, the others are refused.
fn link(operations: &mut [Operation]) {
    let mut makers: HashMap<String, usize> = HashMap::new();
    for (index, operation) in operations.iter_mut().enumerate() {
        let Some(bulk_id) = &operation.bulk_id else { continue };
        if operation.method.as_deref() != Some(Method::Post.as_str()) {
            continue;
        }
        if let Some(first) = makers.get(bulk_id) {
            let detail = format!("bulkId {bulk_id} is already that of Operations[{first}]");
            operation.request = Err(Error::new(ErrorKind::InvalidValue, detail));
        } else {
            makers.insert(bulk_id.clone(), index);
        }
    }
    for operation in operations {
        let Ok(request) = &mut operation.request else { continue };
        let mut unknown = None;
        for name in reference::names(request) {
            match makers.get(&name) {
                Some(index) => request.needs.push(*index),
                None => {
                    unknown.get_or_insert(name);
                }
            }
        }
        request.needs.sort_unstable();
        request.needs.dedup();
        if let Some(name) = unknown {
            let detail = format!("No operation of this request has the bulkId {name}");
            operation.request = Err(Error::new(ErrorKind::InvalidValue, detail));
        }
    }
}
