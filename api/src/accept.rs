//! Content negotiation: which of several media types a client prefers.

use http::{HeaderMap, header};

use crate::refusal::Refusal;

/// Picks the one of `offered` that the client wants most, the earlier of equals;
/// the first if it does not say. None of them is [`Refusal::NotAcceptable`].
pub(crate) fn pick(
    headers: &HeaderMap,
    offered: &[&'static str],
    listed: &'static str,
) -> Result<&'static str, Refusal> {
    let mut wishes: Vec<Option<Wish>> = vec![None; offered.len()];
    let mut has_preference = false;
    let mut place = 0;
    for value in headers.get_all(header::ACCEPT) {
        has_preference = true;
        let Ok(value) = value.to_str() else { continue };
        for range in value.split(',') {
            let (media, quality) = split(range);
            for (wish, offer) in wishes.iter_mut().zip(offered) {
                let precision = precision(media, offer);
                if precision > 0 && wish.is_none_or(|old| precision > old.precision) {
                    *wish = Some(Wish {
                        precision,
                        quality,
                        place,
                    });
                }
            }
            place += 1;
        }
    }
    if !has_preference {
        return offered
            .first()
            .copied()
            .ok_or(Refusal::NotAcceptable { offered: listed });
    }
    let mut best: Option<(Wish, &'static str)> = None;
    for (wish, offer) in wishes.into_iter().zip(offered) {
        let Some(wish) = wish.filter(|wish| wish.quality > 0) else {
            continue;
        };
        if best.is_none_or(|(best, _)| wish.rank() > best.rank()) {
            best = Some((wish, offer));
        }
    }
    best.map(|(_, offer)| offer)
        .ok_or(Refusal::NotAcceptable { offered: listed })
}

/// What the headers say about one media type.
#[derive(Clone, Copy)]
struct Wish {
    /// 3 for the very type, 2 for `text/*`, 1 for `*/*`.
    precision: u8,
    /// In thousandths.
    quality: u16,
    place: usize,
}

impl Wish {
    /// What is wanted more, then named more exactly, then named first.
    fn rank(self) -> (u16, u8, std::cmp::Reverse<usize>) {
        (self.quality, self.precision, std::cmp::Reverse(self.place))
    }
}

fn split(range: &str) -> (&str, u16) {
    let mut parts = range.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default();
    let quality = parts
        .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
        .and_then(|text| text.parse::<f32>().ok())
        .map_or(1_000, |quality| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the value is held between 0 and 1000"
            )]
            let thousandths = (quality.clamp(0.0, 1.0) * 1_000.0) as u16;
            thousandths
        });
    (media, quality)
}

fn precision(media: &str, offer: &str) -> u8 {
    let (own_kind, own_subtype) = media.split_once('/').unwrap_or((media, "*"));
    let (kind, subtype) = offer.split_once('/').unwrap_or((offer, ""));
    if own_kind == "*" {
        1
    } else if !own_kind.eq_ignore_ascii_case(kind) {
        0
    } else if own_subtype == "*" {
        2
    } else if own_subtype.eq_ignore_ascii_case(subtype) {
        3
    } else {
        0
    }
}
