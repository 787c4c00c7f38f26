//! Reading texts, truth values and numbers.

use super::{Abort, Decode, Decoder};
use crate::text::lossy;
use crate::yaml::{Content, NodeId, Scalar, resolve};

impl Decoder<'_> {
    /// What the scalar at `node` means; `None` for anything but a scalar.
    pub(super) fn resolve(&mut self, node: NodeId) -> Result<Option<Scalar<'_>>, Abort> {
        let Content::Scalar { value, plain, tag } = &self.tree.node(node).content else {
            return Ok(None);
        };
        match resolve(value, *plain, tag.as_deref()) {
            Ok(scalar) => Ok(Some(scalar)),
            Err(message) => self.abort(node, message),
        }
    }

    /// The bytes of `!!binary` data; `None` for anything else.
    pub(crate) fn binary(&mut self, node: NodeId) -> Result<Option<Vec<u8>>, Abort> {
        match self.resolve(node)? {
            Some(Scalar::Binary(bytes)) => Ok(Some(bytes)),
            _ => Ok(None),
        }
    }

    pub(super) fn is_null(&mut self, node: NodeId) -> Result<bool, Abort> {
        Ok(self.resolve(node)? == Some(Scalar::Null))
    }
}

impl Decode for String {
    fn decode(&mut self, decoder: &mut Decoder<'_>, node: NodeId) -> Result<bool, Abort> {
        let text = match decoder.resolve(node)? {
            None => return decoder.mismatch(node, "a text"),
            Some(Scalar::Null) => return Ok(false),
            Some(Scalar::Binary(bytes)) => Some(lossy(&bytes)),
            Some(_) => None,
        };
        let tree = decoder.tree;
        if let (None, Content::Scalar { value, .. }) = (&text, &tree.node(node).content) {
            self.clone_from(value);
        } else {
            *self = text.unwrap_or_default();
        }
        Ok(true)
    }
}

impl Decode for bool {
    fn decode(&mut self, decoder: &mut Decoder<'_>, node: NodeId) -> Result<bool, Abort> {
        let word = match decoder.resolve(node)? {
            Some(Scalar::Null) => return Ok(false),
            Some(Scalar::Bool(value)) => Some(value),
            Some(Scalar::Text | Scalar::Quoted | Scalar::Other(_)) => match decoder.tree.key_text(node) {
                "y" | "Y" | "yes" | "on" => Some(true),
                "n" | "N" | "no" | "off" => Some(false),
                _ => None,
            },
            _ => None,
        };
        match word {
            Some(value) => {
                *self = value;
                Ok(true)
            }
            None => decoder.mismatch(node, "true or false"),
        }
    }
}

impl Decode for i64 {
    fn decode(&mut self, decoder: &mut Decoder<'_>, node: NodeId) -> Result<bool, Abort> {
        let number = match decoder.resolve(node)? {
            Some(Scalar::Null) => return Ok(false),
            Some(Scalar::Int(value)) => i64::try_from(value).ok(),
            Some(Scalar::Float(value)) => truncate(value),
            _ => None,
        };
        match number {
            Some(value) => {
                *self = value;
                Ok(true)
            }
            None => decoder.mismatch(node, "a whole number"),
        }
    }
}

/// Cuts the fraction off; what lies below the range becomes its lowest number, what lies above it is none.
fn truncate(value: f64) -> Option<i64> {
    const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the range was checked, and cutting the fraction off is meant"
    )]
    (value < TWO_TO_63).then_some(value as i64)
}
