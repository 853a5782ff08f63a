//! How the calls of this API are described in the OpenAPI document.

use serde_json::{Value, json};

use super::media::{Media, PROBLEM};
use super::reply::ListType;
use super::schema::{Member, Purpose, describe};
use crate::endpoint::{Endpoint, Shape};

/// The shapes of one kind of resource.
pub(super) struct Shapes {
    media: Media,
    create: Shape,
    replace: Shape,
    reply: Shape,
    list: Shape,
}

impl Shapes {
    /// `name` is that of the schema of one resource.
    pub(super) fn new(name: &str, members: &[Member], kind: ListType, media: Media) -> Self {
        let shape = |suffix: &str, purpose, media| {
            Shape::named(
                media,
                &format!("{name}{suffix}"),
                describe(members, purpose),
            )
        };
        let reply = shape("", Purpose::Reply, media.one);
        let values = json!({"type": "array"});
        let list = json!({
            "type": "object",
            "required": ["type", "version", "items", "metadata"],
            "properties": {
                "type": {"type": "string", "enum": [kind.name]},
                "version": {"type": "string", "enum": [kind.version]},
                "items": {
                    "type": "array",
                    "items": {"anyOf": [reply.schema, values]},
                },
                "metadata": {"type": "object"},
            },
            "additionalProperties": false,
        });
        let mut list = Shape::named(media.list, &format!("{name}List"), list);
        list.refers_to.extend(reply.refers_to.iter().cloned());
        Self {
            create: shape("Create", Purpose::Create, media.one),
            replace: shape("Replace", Purpose::Replace, media.one),
            reply,
            list,
            media,
        }
    }
}

impl Endpoint {
    /// Lists resources.
    pub(super) fn astra_list(self, shapes: &Shapes) -> Self {
        let text = |pattern: &str| json!({"type": "string", "pattern": pattern});
        self.query_as(
            "include",
            "members, parted by commas: each item is then the array of their values",
            text("^[0-9a-zA-Z]+(,[0-9a-zA-Z]+)*$"),
        )
        .query_as("limit", "the most items to return", text("^[1-9][0-9]*$"))
        .query_as(
            "filter",
            "conditions `<field> <operator> '<value>'`, parted by commas; the operators are \
             eq, lt, gt, lte, gte and in",
            text(FILTER),
        )
        .answers_as(200, &shapes.list)
        .reply_header(200, "ETag", "the MD5 of the reply; left out of long lists")
        .conditional()
        .refused(&[400, 401, 403, 404, 406])
    }

    /// Creates a resource.
    pub(super) fn astra_create(self, shapes: &Shapes) -> Self {
        self.reads_as(&shapes.create)
            .answers_as(201, &shapes.reply)
            .reply_header(201, "ETag", "the MD5 of the resource")
            .reply_header(201, "Location", "where the resource is")
            .refused(&[400, 401, 403, 404, 406, 409, 413])
    }

    /// Shows a resource.
    pub(super) fn astra_get(self, shapes: &Shapes) -> Self {
        debug_assert!(!shapes.media.one.is_empty(), "a resource has a media type");
        self.answers_as(200, &shapes.reply)
            .reply_header(200, "ETag", "the MD5 of the resource")
            .conditional()
            .refused(&[400, 401, 403, 404, 406])
    }

    /// Changes a resource.
    pub(super) fn astra_replace(self, shapes: &Shapes) -> Self {
        self.reads_as(&shapes.replace)
            .request_header("If-Match", "the tag that the resource must have, or `*`")
            .request_header("If-None-Match", "the tags that it must not have, or `*`")
            .request_header("If-Modified-Since", "a date after which it must be changed")
            .request_header(
                "If-Unmodified-Since",
                "a date after which it must not be changed",
            )
            .answers_empty(204)
            .refused(&[400, 401, 403, 404, 409, 412, 413])
    }

    /// Removes a resource.
    pub(super) fn astra_delete(self) -> Self {
        self.answers_empty(204).refused(&[400, 401, 403, 404])
    }

    fn refused(self, statuses: &[u16]) -> Self {
        let problem = Shape::named(&[PROBLEM], "Problem", problem());
        statuses.iter().fold(self, |endpoint, status| {
            endpoint.answers_as(*status, &problem)
        })
    }
}

const FILTER: &str = "^[0-9a-zA-Z.*\\[\\]]+( |%20)+(eq|lt|gt|lte|gte|in)( |%20)+'[-0-9a-zA-Z,./:;<=>?@\\[\\\\\\]^_ {}\"]+'(,[0-9a-zA-Z.*\\[\\]]+( |%20)+(eq|lt|gt|lte|gte|in)( |%20)+'[-0-9a-zA-Z,./:;<=>?@\\[\\\\\\]^_ {}\"]+')*$";

fn problem() -> Value {
    let text = json!({"type": "string"});
    let wrong = json!({
        "type": "array",
        "minItems": 1,
        "uniqueItems": true,
        "items": {
            "type": "object",
            "required": ["name", "reason"],
            "properties": {"name": text, "reason": text},
        },
    });
    json!({
        "type": "object",
        "required": ["type", "title", "detail", "status", "correlationID"],
        "properties": {
            "type": text,
            "title": text,
            "detail": text,
            "status": {"type": "string", "pattern": "^[1-5][0-9]{2}$"},
            "correlationID": {"type": "string", "format": "uuid"},
            "invalidParams": wrong,
            "invalidFields": wrong,
            "schemaValidationFailure": text,
        },
    })
}
