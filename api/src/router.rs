//! Everything that is served, put together: endpoints, guards and the edge.

use axum::{Extension, Router};

use crate::app::App;
use crate::endpoint::Endpoint;
use crate::openapi::Documents;
use crate::{astra, croit, edge, fenix, native, nova};

/// Serves `app` without a socket; [`serve`](crate::serve) adds one.
pub fn router(app: App) -> Router {
    serving(app, endpoints())
}

/// Serves nothing but health, readiness and metrics.
pub(crate) fn probes(app: App) -> Router {
    serving(app, native::probes())
}

fn serving(app: App, endpoints: Vec<Endpoint>) -> Router {
    let documents = Documents::of(&endpoints);
    let router = endpoints
        .into_iter()
        .fold(Router::new(), |router, endpoint| {
            endpoint.mount(router, &app)
        });
    router
        .fallback(edge::no_route)
        .method_not_allowed_fallback(edge::wrong_method)
        .layer(Extension(documents))
        .layer(axum::middleware::from_fn_with_state(
            app.clone(),
            edge::handle,
        ))
        .with_state(app)
}

/// Every call of every face.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let mut all = croit::endpoints();
    all.extend(native::endpoints());
    all.extend(astra::endpoints());
    all.extend(nova::endpoints());
    all.extend(fenix::endpoints());
    all
}
