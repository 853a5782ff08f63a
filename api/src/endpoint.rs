//! One call that is served: method, path, who may, what it is called, its shapes.
//!
//! Router and OpenAPI document are both made from the same list of these, so a
//! call cannot be served without being documented, nor the other way round. The table is
//! our own because it also says what no framework's does: the role, the API, what the
//! request is charged with and how its body is read.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};
use http::Method;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema as TypeSchema};

use crate::app::App;
use crate::auth::{self, Access, Guard};
use crate::dialect::Dialect;
use crate::face::Face;

/// Schemas by name.
pub(crate) type Schemas = Vec<(String, Value)>;

const PAGINATION: &str = "URL-encoded JSON: after, limit, sortBy [{column, order}], where {_and, _or, _not, _search, field}";

/// One call that is served.
pub(crate) struct Endpoint {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    /// The name of the handler.
    pub(crate) id: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) access: Access,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<Shape>,
    pub(crate) body_is_optional: bool,
    pub(crate) replies: Vec<(u16, Option<Shape>)>,
    /// Status, name and meaning.
    pub(crate) reply_headers: Vec<(u16, &'static str, &'static str)>,
    pub(crate) deprecated: bool,
    pub(crate) slash: Slash,
    handler: MethodRouter<App>,
}

/// Whether a call is also served at its path with a slash at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slash {
    No,
    Either,
}

/// A parameter beside path and body.
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    /// `query` or `header`.
    pub(crate) place: &'static str,
    pub(crate) meaning: &'static str,
    pub(crate) schema: Value,
}

/// A body's media types and schema.
#[derive(Clone)]
pub(crate) struct Shape {
    pub(crate) media: &'static [&'static str],
    pub(crate) schema: Value,
    pub(crate) refers_to: Schemas,
}

impl Shape {
    /// JSON of this type.
    pub(crate) fn json<T: ToSchema>() -> Self {
        let mut refers_to: Vec<(String, RefOr<TypeSchema>)> = Vec::new();
        T::schemas(&mut refers_to);
        // A generic type has one name for whatever it is of, so it stands for itself.
        let schema = if std::any::type_name::<T>().contains('<') {
            json!(T::schema())
        } else {
            refers_to.push((T::name().into_owned(), T::schema()));
            json!({"$ref": format!("#/components/schemas/{}", T::name())})
        };
        Self {
            media: &["application/json"],
            schema,
            refers_to: refers_to
                .into_iter()
                .map(|(name, schema)| (name, json!(schema)))
                .collect(),
        }
    }

    /// A schema of one's own, under a name.
    pub(crate) fn named(media: &'static [&'static str], name: &str, schema: Value) -> Self {
        Self {
            media,
            schema: json!({"$ref": format!("#/components/schemas/{name}")}),
            refers_to: vec![(name.to_owned(), schema)],
        }
    }

    fn list<T: ToSchema>() -> Self {
        let one = Self::json::<T>();
        Self {
            schema: json!({"type": "array", "items": one.schema}),
            ..one
        }
    }

    /// The two shapes of croit's lists: bare, or a page if `pagination` was given.
    fn page<T: ToSchema>() -> Self {
        let list = Self::list::<T>();
        let count = json!({"type": "integer"});
        Self {
            schema: json!({"type": "object", "required": ["data"], "properties": {
                "data": list.schema, "total": count, "after": count, "limit": {"type": ["integer", "null"]},
            }}),
            ..list
        }
    }

    fn raw(media: &'static [&'static str]) -> Self {
        let is_json = media.iter().any(|media| media.ends_with("json"));
        Self {
            media,
            schema: if is_json {
                json!({})
            } else {
                json!({"type": "string"})
            },
            refers_to: Schemas::new(),
        }
    }
}

impl Endpoint {
    /// Serves `handler`, whose name is `id`, for those whom `access` admits.
    pub(crate) fn new<H, T>(
        method: Method,
        path: &'static str,
        access: Access,
        id: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        let filter =
            MethodFilter::try_from(method.clone()).expect("endpoints use the common methods");
        Self {
            method,
            path,
            id,
            summary: "",
            access,
            parameters: Vec::new(),
            body: None,
            body_is_optional: false,
            replies: Vec::new(),
            reply_headers: Vec::new(),
            deprecated: false,
            slash: Slash::No,
            handler: on(filter, handler),
        }
    }

    /// Sets the summary of the call.
    pub(crate) fn summary(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }

    /// Declares a query parameter with its description.
    pub(crate) fn query(self, name: &'static str, meaning: &'static str) -> Self {
        self.query_as(name, meaning, json!({"type": "string"}))
    }

    /// Declares a query parameter with its description and schema.
    pub(crate) fn query_as(self, name: &'static str, meaning: &'static str, schema: Value) -> Self {
        self.parameter("query", name, meaning, schema)
    }

    /// Declares a request header with its description.
    pub(crate) fn request_header(self, name: &'static str, meaning: &'static str) -> Self {
        self.parameter("header", name, meaning, json!({"type": "string"}))
    }

    fn parameter(
        mut self,
        place: &'static str,
        name: &'static str,
        meaning: &'static str,
        schema: Value,
    ) -> Self {
        self.parameters.push(Parameter {
            name,
            place,
            meaning,
            schema,
        });
        self
    }

    /// The call reads a JSON body of this type.
    pub(crate) fn reads<T: ToSchema>(mut self) -> Self {
        self.body = Some(Shape::json::<T>());
        self
    }

    /// The call reads a body of these media types.
    pub(crate) fn reads_raw(mut self, media: &'static [&'static str]) -> Self {
        self.body = Some(Shape::raw(media));
        self
    }

    /// The call reads a body of these media types if there is one.
    pub(crate) fn may_read_raw(self, media: &'static [&'static str]) -> Self {
        Self {
            body_is_optional: true,
            ..self.reads_raw(media)
        }
    }

    /// The call responds with this status and a JSON body of this type.
    pub(crate) fn answers<T: ToSchema>(mut self, status: u16) -> Self {
        self.replies.push((status, Some(Shape::json::<T>())));
        self
    }

    /// The call responds with a bare list, or with a page if `pagination` is given.
    pub(crate) fn answers_list_or_page<T: ToSchema>(mut self) -> Self {
        let (list, page) = (Shape::list::<T>(), Shape::page::<T>());
        let either = Shape {
            schema: json!({"oneOf": [list.schema, page.schema]}),
            ..list
        };
        self.replies.push((200, Some(either)));
        self.query("pagination", PAGINATION)
    }

    /// The call responds with a page, whether `pagination` is given or not.
    pub(crate) fn answers_page<T: ToSchema>(mut self) -> Self {
        self.replies.push((200, Some(Shape::page::<T>())));
        self.query("pagination", PAGINATION)
    }

    /// The call responds with a bare list.
    pub(crate) fn answers_list<T: ToSchema>(mut self) -> Self {
        self.replies.push((200, Some(Shape::list::<T>())));
        self
    }

    /// The call responds with this status and a body of these media types.
    pub(crate) fn answers_raw(mut self, status: u16, media: &'static [&'static str]) -> Self {
        self.replies.push((status, Some(Shape::raw(media))));
        self
    }

    /// The call reads a body of this shape.
    pub(crate) fn reads_as(mut self, shape: &Shape) -> Self {
        self.body = Some(shape.clone());
        self
    }

    /// The call responds with this status and a body of this shape.
    pub(crate) fn answers_as(mut self, status: u16, shape: &Shape) -> Self {
        self.replies.push((status, Some(shape.clone())));
        self
    }

    /// The call answers 304 without a body if the client has what it would answer.
    pub(crate) fn conditional(self) -> Self {
        self.request_header(
            "If-None-Match",
            "tags of replies that the client has: 304 if this would be one of them",
        )
        .answers_empty(304)
    }

    /// A reply with this status has this header.
    pub(crate) fn reply_header(
        mut self,
        status: u16,
        name: &'static str,
        meaning: &'static str,
    ) -> Self {
        self.reply_headers.push((status, name, meaning));
        self
    }

    /// Clients should use something else.
    pub(crate) fn deprecated(mut self) -> Self {
        self.deprecated = true;
        self
    }

    /// The call is served at its path with a slash at the end too.
    pub(crate) fn slash_or_not(mut self) -> Self {
        self.slash = Slash::Either;
        self
    }

    /// The call responds with this status and no body.
    pub(crate) fn answers_empty(mut self, status: u16) -> Self {
        self.replies.push((status, None));
        self
    }

    /// The API that the call belongs to.
    pub(crate) fn face(&self) -> Face {
        Face::of(self.path)
    }

    /// Puts the call behind its guard and into the router. `dialect` is its API's.
    pub(crate) fn mount(
        self,
        router: Router<App>,
        app: &App,
        dialect: &'static dyn Dialect,
    ) -> Router<App> {
        let guard = Guard {
            app: app.clone(),
            dialect,
            access: self.access,
            operation: self.id,
        };
        let guard = axum::middleware::from_fn_with_state(guard, auth::guard);
        let handler = self.handler.route_layer(guard);
        let router = match self.slash {
            Slash::No => router,
            Slash::Either => router.route(&format!("{}/", self.path), handler.clone()),
        };
        router.route(self.path, handler)
    }
}
