//! A bulk request while it is worked through.

use std::collections::{HashMap, VecDeque};

use serde_json::{Map, Value, json};

use super::operation::{Endpoint, Method, Operation};
use super::{Bulk, order, reference};
use crate::scim::error::{Error, ErrorKind};
use crate::scim::version::Version;

/// The schema of the answer.
const BULK_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";

/// What is to be done next: one operation, or several that need each other in a circle. All of it
/// is done, or nothing.
#[derive(Debug)]
pub struct Unit {
    /// The operations, users before groups, otherwise in the order they were sent.
    pub steps: Vec<Step>,
}

impl Unit {
    /// Whether it is nothing but a user that is made.
    pub fn makes_a_user(&self) -> bool {
        match self.steps.as_slice() {
            [step] => step.method == Method::Post && step.endpoint == Endpoint::Users,
            _ => false,
        }
    }
}

/// An operation that can be done now: every reference in it is an id.
#[derive(Debug)]
pub struct Step {
    /// Its place in the request, from 0.
    pub index: usize,
    /// What to do.
    pub method: Method,
    /// With users or groups.
    pub endpoint: Endpoint,
    /// The id of the resource: the one in the path, or for POST the one that it is to have.
    pub id: String,
    /// The entity tag the resource must have, see
    /// [`Precondition::of_version`](crate::scim::version::Precondition::of_version).
    pub version: Option<String>,
    /// The body; empty for DELETE.
    pub data: Map<String, Value>,
}

/// What came of an operation that succeeded.
#[derive(Debug, Clone, Copy)]
pub struct Done {
    /// The HTTP status it would have had alone.
    pub status: u16,
    /// The number of the resource's version now; none when it is gone.
    pub version: Option<i64>,
}

/// Why a unit failed.
#[derive(Debug)]
pub struct Failure {
    /// Which of its steps failed, from 0.
    pub step: usize,
    /// Why.
    pub error: Error,
}

/// The outcome of an operation.
#[derive(Debug)]
enum Outcome {
    Done(Done),
    Failed(Error),
}

/// A bulk request while it is worked through.
#[derive(Debug)]
pub struct Run {
    operations: Vec<Operation>,
    /// The ids of the resources that are made, by operation.
    ids: HashMap<usize, String>,
    /// The operations by their `bulkId`.
    makers: HashMap<String, usize>,
    outcomes: Vec<Option<Outcome>>,
    units: VecDeque<Vec<usize>>,
    errors: usize,
    most_errors: usize,
}

impl Run {
    pub(super) fn new(bulk: Bulk, mut new_id: impl FnMut(Endpoint) -> String) -> Self {
        let Bulk { operations, fail_on_errors } = bulk;
        let (mut ids, mut makers) = (HashMap::new(), HashMap::new());
        for (index, operation) in operations.iter().enumerate() {
            if let (Ok(request), Some(bulk_id)) = (&operation.request, &operation.bulk_id)
                && request.method == Method::Post
            {
                ids.insert(index, new_id(request.endpoint));
                makers.insert(bulk_id.clone(), index);
            }
        }
        let needs: Vec<&[usize]> = operations
            .iter()
            .map(|operation| match &operation.request {
                Ok(request) => request.needs.as_slice(),
                Err(_) => &[],
            })
            .collect();
        let units = order::groups(&needs).into();
        Self {
            outcomes: operations.iter().map(|_| None).collect(),
            operations,
            ids,
            makers,
            units,
            errors: 0,
            most_errors: fail_on_errors.unwrap_or(usize::MAX),
        }
    }

    /// What is to be done next; none when all is done, or when there were as many errors as the
    /// client accepts. [`Run::record`] what came of it before asking again.
    pub fn next_unit(&mut self) -> Option<Unit> {
        while self.errors < self.most_errors {
            let members = self.units.pop_front()?;
            if let Some((index, error)) = self.obstacle(&members) {
                self.fail(&members, index, error);
            } else if let Some(unit) = self.unit(&members) {
                return Some(unit);
            }
        }
        None
    }

    /// Like [`Run::next_unit`]; but where users are made one after the other and none of them needs
    /// another operation, they come together, at most so many. As long as fewer of them fail than
    /// [`Run::errors_left`] tells, what came of one says nothing about whether the next is tried.
    pub fn next_units(&mut self, most: usize) -> Vec<Unit> {
        let mut units: Vec<Unit> = self.next_unit().into_iter().collect();
        if units.first().is_some_and(Unit::makes_a_user) {
            while units.len() < most && self.makes_a_user_next() {
                units.extend(self.next_unit());
            }
        }
        units
    }

    fn makes_a_user_next(&self) -> bool {
        let Some([index]) = self.units.front().map(Vec::as_slice) else { return false };
        let request = self.operations.get(*index).and_then(|one| one.request.as_ref().ok());
        request.is_some_and(|request| {
            let made = request.method == Method::Post && request.endpoint == Endpoint::Users;
            made && request.needs.is_empty()
        })
    }

    /// How many more operations may fail; the rest is not tried then.
    pub fn errors_left(&self) -> usize {
        self.most_errors.saturating_sub(self.errors)
    }

    /// What keeps the operations from being tried at all.
    fn obstacle(&self, members: &[usize]) -> Option<(usize, Error)> {
        members.iter().find_map(|index| {
            let request = match &self.operations.get(*index)?.request {
                Err(error) => return Some((*index, error.clone())),
                Ok(request) => request,
            };
            let failed = request.needs.iter().find(|needed| {
                matches!(self.outcomes.get(**needed), Some(Some(Outcome::Failed(_))))
            })?;
            let name = self.operations.get(*failed)?.bulk_id.as_deref().unwrap_or_default();
            let detail = format!("It refers to bulkId {name} (Operations[{failed}]), which failed");
            Some((*index, Error::new(ErrorKind::Conflict, detail)))
        })
    }

    fn unit(&mut self, members: &[usize]) -> Option<Unit> {
        let mut steps = Vec::with_capacity(members.len());
        for index in members {
            let Ok(request) = &mut self.operations.get_mut(*index)?.request else { return None };
            reference::substitute(request, |name| self.ids.get(self.makers.get(name)?).cloned());
            let id = self.ids.get(index).or(request.id.as_ref()).cloned().unwrap_or_default();
            steps.push(Step {
                index: *index,
                method: request.method,
                endpoint: request.endpoint,
                id,
                version: request.version.take(),
                data: std::mem::take(&mut request.data),
            });
        }
        // A group that is made after its members finds them.
        steps.sort_by_key(|step| (step.endpoint, step.index));
        Some(Unit { steps })
    }

    /// Notes what came of a unit: what each of its steps did, in their order, or what made all of
    /// it fail.
    pub fn record(&mut self, unit: &Unit, outcome: Result<Vec<Done>, Failure>) {
        match outcome {
            Ok(done) => {
                for (step, done) in unit.steps.iter().zip(done) {
                    self.note(step.index, Outcome::Done(done));
                }
            }
            Err(Failure { step, error }) => {
                let members: Vec<usize> = unit.steps.iter().map(|step| step.index).collect();
                let index = members.get(step).or(members.first()).copied().unwrap_or_default();
                self.fail(&members, index, error);
            }
        }
    }

    /// All of these fail, because one of them does.
    fn fail(&mut self, members: &[usize], culprit: usize, error: Error) {
        for index in members.iter().filter(|index| **index != culprit) {
            let detail = format!("It and Operations[{culprit}], which failed, refer to each other");
            self.note(*index, Outcome::Failed(Error::new(ErrorKind::Conflict, detail)));
        }
        self.note(culprit, Outcome::Failed(error));
    }

    fn note(&mut self, index: usize, outcome: Outcome) {
        self.errors += usize::from(matches!(outcome, Outcome::Failed(_)));
        if let Some(slot) = self.outcomes.get_mut(index) {
            *slot = Some(outcome);
        }
    }

    /// How many operations failed so far.
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// What came of each operation that was tried, with its place in the request, in the order of
    /// the request. `base` is the SCIM base URL without a trailing slash.
    pub fn results(&self, base: &str) -> impl Iterator<Item = (usize, Value)> {
        self.outcomes.iter().enumerate().filter_map(move |(index, outcome)| {
            let operation = self.operations.get(index)?;
            Some((index, self.result(base, index, operation, outcome.as_ref()?)))
        })
    }

    /// The BulkResponse (RFC 7644 §3.7.3). What was not tried is not in it.
    pub fn response(&self, base: &str) -> Value {
        response(self.results(base).map(|(_, result)| result))
    }

    fn result(&self, base: &str, index: usize, operation: &Operation, outcome: &Outcome) -> Value {
        let mut result = Map::new();
        if let Some(location) = self.location(base, index, operation, outcome) {
            result.insert("location".to_owned(), location.into());
        }
        if let Some(method) = &operation.method {
            result.insert("method".to_owned(), method.as_str().into());
        }
        if let Some(bulk_id) = &operation.bulk_id {
            result.insert("bulkId".to_owned(), bulk_id.as_str().into());
        }
        match outcome {
            Outcome::Done(done) => {
                if let Some(version) = done.version {
                    result.insert("version".to_owned(), Version(version).to_string().into());
                }
                result.insert("status".to_owned(), done.status.to_string().into());
            }
            Outcome::Failed(error) => {
                result.insert("status".to_owned(), error.kind.status().to_string().into());
                result.insert("response".to_owned(), error.body());
            }
        }
        Value::Object(result)
    }

    /// RFC 7644 §3.7: where the resource is, except that of a POST that failed. What refers to an
    /// operation that failed is nowhere either.
    fn location(
        &self,
        base: &str,
        index: usize,
        operation: &Operation,
        outcome: &Outcome,
    ) -> Option<String> {
        let request = operation.request.as_ref().ok()?;
        let id = match (request.method, outcome) {
            (Method::Post, Outcome::Failed(_)) => return None,
            (Method::Post, Outcome::Done(_)) => self.ids.get(&index)?,
            _ => request.id.as_ref().filter(|id| !reference::is_one(id))?,
        };
        let id = percent_encoding::utf8_percent_encode(id, PATH_SEGMENT);
        Some(format!("{base}{}/{id}", request.endpoint.path()))
    }
}

/// The BulkResponse of these results of operations (RFC 7644 §3.7.3).
pub fn response(results: impl IntoIterator<Item = Value>) -> Value {
    let results: Vec<Value> = results.into_iter().collect();
    json!({ "schemas": [BULK_RESPONSE], "Operations": results })
}

/// RFC 3986 §3.3: what must be encoded in a part of a path.
const PATH_SEGMENT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':')
    .remove(b'@');
