//! What is known of a value where objects are as a schema says, and what its parts are.
//!
//! In: shapes, and what operations make of them. Out: the same of members, elements, operands. Must never know: syntax,
//! steps of paths.
//!
//! Where nothing is known, everything is possible: whoever cannot tell says [`Seen::Anything`].

use std::collections::BTreeMap;
use std::rc::Rc;

use super::super::StaticType;
use super::field::{Field, article};
use crate::schema::{Schema, Shape};

/// What is known of a value.
#[derive(Clone, Debug)]
pub(crate) enum Seen {
    Anything,
    /// There is no value: the element of an empty list.
    Nothing,
    /// A value of the object.
    Field(Field),
    /// A value of the object, this one or one below it.
    Below(Field),
    /// A value that was computed, of no parts.
    Kind(StaticType),
    /// A list that was computed, of these elements.
    List(Rc<Seen>),
    /// A map that was computed, of these values.
    Map(Rc<Seen>),
    /// A map that was written out.
    Members(Rc<BTreeMap<String, Seen>>),
    Optional(Rc<Seen>),
    /// One of these. Never nested.
    Either(Rc<[Seen]>),
}

/// Why a value has no such part.
pub(super) type Parted = Result<Seen, String>;

/// More possibilities than this are taken for any.
pub(super) const MOST_ALTERNATIVES: usize = 6;

// === impl Seen ===

impl Seen {
    /// The object.
    pub(super) fn root() -> Seen {
        Seen::Field(Field { shape: Schema::ROOT, path: "".into() })
    }

    /// What a function gives.
    pub(super) fn of_kind(kind: StaticType) -> Seen {
        match kind {
            StaticType::Dyn => Seen::Anything,
            StaticType::List => Seen::List(Rc::new(Seen::Anything)),
            StaticType::Map => Seen::Map(Rc::new(Seen::Anything)),
            StaticType::Optional => Seen::Optional(Rc::new(Seen::Anything)),
            kind => Seen::Kind(kind),
        }
    }

    pub(super) fn list(element: Seen) -> Seen {
        Seen::List(Rc::new(element))
    }

    pub(super) fn optional(value: Seen) -> Seen {
        Seen::Optional(Rc::new(value))
    }

    /// This, or that.
    pub(super) fn or(self, other: Seen) -> Seen {
        let mut all: Vec<Seen> = Vec::new();
        for seen in [self, other] {
            match seen {
                Seen::Anything => return Seen::Anything,
                Seen::Nothing => {}
                Seen::Either(several) => all.extend(several.iter().cloned()),
                one => all.push(one),
            }
        }
        let mut distinct: Vec<Seen> = Vec::new();
        for seen in all {
            if !distinct.iter().any(|known| known.is(&seen)) {
                distinct.push(seen);
            }
        }
        match distinct.len() {
            0 => Seen::Nothing,
            1 => distinct.swap_remove(0),
            2..=MOST_ALTERNATIVES => Seen::Either(distinct.into()),
            _ => Seen::Anything,
        }
    }

    /// Any of these.
    pub(super) fn any(all: impl IntoIterator<Item = Seen>) -> Seen {
        all.into_iter().fold(Seen::Nothing, Seen::or)
    }

    /// Whether both are the same for sure, without a look into the depth.
    fn is(&self, other: &Seen) -> bool {
        match (self, other) {
            (Seen::Field(a), Seen::Field(b)) | (Seen::Below(a), Seen::Below(b)) => {
                a.shape == b.shape && a.path == b.path
            }
            (Seen::Kind(a), Seen::Kind(b)) => a == b,
            (Seen::List(a), Seen::List(b))
            | (Seen::Map(a), Seen::Map(b))
            | (Seen::Optional(a), Seen::Optional(b)) => Rc::ptr_eq(a, b),
            (Seen::Members(a), Seen::Members(b)) => Rc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// What a part gives of each possibility; only if none has it, there is none.
    fn part(&self, of_one: impl Fn(&Seen) -> Parted) -> Parted {
        match self {
            Seen::Anything | Seen::Nothing => Ok(self.clone()),
            Seen::Optional(inner) => inner.part(of_one).map(Seen::optional),
            Seen::Either(several) => {
                let (mut found, mut refused) = (Vec::new(), None);
                for one in several.iter() {
                    let part = match one {
                        Seen::Optional(inner) if !matches!(**inner, Seen::Either(_) | Seen::Optional(_)) => {
                            of_one(inner).map(Seen::optional)
                        }
                        // Optionals of several are rare: nothing is said of them.
                        Seen::Optional(_) | Seen::Anything => Ok(Seen::Anything),
                        one => of_one(one),
                    };
                    match part {
                        Ok(Seen::Nothing) => {}
                        Ok(part) => found.push(part),
                        Err(message) => drop(refused.get_or_insert(message)),
                    }
                }
                match refused {
                    Some(message) if found.is_empty() => Err(message),
                    _ => Ok(Seen::any(found)),
                }
            }
            one => of_one(one),
        }
    }

    /// The member of a map.
    pub(super) fn member(&self, name: &str, schema: &Schema) -> Parted {
        self.part(|one| match one {
            Seen::Field(field) => field.member(name, schema),
            Seen::Below(field) => field.member_below(name, schema),
            Seen::Map(value) => Ok(Seen::clone(value)),
            // Whoever wrote the map out knows what is in it.
            Seen::Members(members) => Ok(members.get(name).cloned().unwrap_or(Seen::Nothing)),
            Seen::List(_) | Seen::Kind(_) => Err(format!("{} has no fields", one.described(schema))),
            _ => Ok(Seen::Anything),
        })
    }

    /// What an index leads to that is known to be a number, or not known.
    pub(super) fn at_number(&self, schema: &Schema) -> Parted {
        self.part(|one| match one {
            Seen::Field(field) => match schema.get(field.shape) {
                Shape::Anything => Ok(Seen::Anything),
                Shape::List(element) => Ok(field.each(*element)),
                Shape::Map { .. } => Err(format!("{}: its keys are strings", one.described(schema))),
                _ => Err(format!("{} and has no elements", one.described(schema))),
            },
            Seen::Below(field) => field.elements_below(schema),
            Seen::List(element) => Ok(Seen::clone(element)),
            Seen::Kind(_) => Err(format!("{} has no elements", one.described(schema))),
            _ => Ok(Seen::Anything),
        })
    }

    /// What an index leads to that is a string nobody knows yet.
    pub(super) fn at_text(&self, schema: &Schema) -> Parted {
        self.part(|one| match one {
            Seen::Field(field) if matches!(schema.get(field.shape), Shape::List(_)) => {
                Err(format!("{} and is indexed by numbers", one.described(schema)))
            }
            Seen::List(_) => Err("a list is indexed by numbers".to_owned()),
            one => one.at_any(schema),
        })
    }

    /// What any index leads to.
    pub(super) fn at_any(&self, schema: &Schema) -> Parted {
        self.part(|one| match one {
            Seen::Field(field) => match schema.get(field.shape) {
                Shape::List(element) => Ok(field.each(*element)),
                Shape::Map { .. } => Ok(field.values(schema)),
                _ => one.at_number(schema),
            },
            Seen::Map(value) => Ok(Seen::clone(value)),
            Seen::Members(_) => Ok(Seen::Anything),
            Seen::Below(_) => Ok(one.clone()),
            _ => one.at_number(schema),
        })
    }

    /// The elements of a list, or the values of a map.
    pub(crate) fn elements(&self, schema: &Schema) -> Parted {
        self.without_optional().part(|one| match one {
            Seen::Field(field) => match schema.get(field.shape) {
                Shape::Map { .. } => Ok(field.values(schema)),
                _ => one.at_number(schema),
            },
            Seen::Map(value) => Ok(Seen::clone(value)),
            Seen::Members(members) => Ok(Seen::any(members.values().cloned())),
            Seen::Below(_) => Ok(one.clone()),
            _ => one.at_number(schema),
        })
    }

    /// The field of the object that it is, if that holds a time.
    pub(crate) fn time(&self, schema: &Schema) -> Option<String> {
        match self.without_optional() {
            Seen::Field(field) if *schema.get(field.shape) == Shape::Time => Some(field.to_string()),
            _ => None,
        }
    }

    /// What a variable stands for in a loop: the elements of a list, or the keys of a map.
    pub(super) fn looped(&self, schema: &Schema) -> Parted {
        self.part(|one| match one {
            Seen::Field(field) if matches!(schema.get(field.shape), Shape::Map { .. }) => {
                Ok(Seen::Kind(StaticType::String))
            }
            Seen::Map(_) | Seen::Members(_) | Seen::Below(_) => Ok(Seen::Anything),
            _ => one.at_number(schema),
        })
    }

    /// What the first of two variables stands for: indices, or keys.
    pub(crate) fn keys(&self, schema: &Schema) -> Seen {
        match self {
            Seen::List(_) => Seen::Kind(StaticType::Int),
            Seen::Field(field) => match schema.get(field.shape) {
                Shape::List(_) => Seen::Kind(StaticType::Int),
                Shape::Map { .. } => Seen::Kind(StaticType::String),
                _ => Seen::Anything,
            },
            _ => Seen::Anything,
        }
    }

    /// What `in` compares with: the elements of a list, or the keys of a map.
    pub(super) fn looked_through(&self, schema: &Schema) -> Parted {
        self.part(|one| match one {
            Seen::Kind(_) => Err(one.contradicting("expected a list or a map to look through", schema)),
            Seen::Field(field) => match schema.get(field.shape) {
                Shape::Anything | Shape::List(_) | Shape::Map { .. } => one.looped(schema),
                _ => Err(one.contradicting("expected a list or a map to look through", schema)),
            },
            one => one.looped(schema),
        })
    }

    /// The value of an optional, and anything else as it is.
    pub(crate) fn without_optional(&self) -> Seen {
        match self {
            Seen::Optional(value) => value.without_optional(),
            Seen::Either(several) if several.iter().any(|one| matches!(one, Seen::Optional(_))) => {
                Seen::any(several.iter().map(Seen::without_optional))
            }
            other => other.clone(),
        }
    }

    /// This, or anything below it.
    pub(super) fn below(&self) -> Seen {
        match self {
            Seen::Field(field) | Seen::Below(field) => Seen::Below(field.clone()),
            _ => Seen::Anything,
        }
    }

    /// Whether this may be a value of a type.
    pub(crate) fn may_be(&self, wanted: StaticType, schema: &Schema) -> bool {
        wanted == StaticType::Dyn
            || match self {
                Seen::Field(_) if wanted == StaticType::Null => true,
                Seen::Either(several) => several.iter().any(|one| one.may_be(wanted, schema)),
                one => one.kinds(schema).iter().any(|kind| kind.may_be(wanted)),
            }
    }

    /// The types that a value may have, `null` in the place of a field aside.
    pub(crate) fn kinds(&self, schema: &Schema) -> Vec<StaticType> {
        match self {
            Seen::Anything | Seen::Nothing | Seen::Below(_) => vec![StaticType::Dyn],
            Seen::Field(field) => match schema.get(field.shape) {
                Shape::Anything => vec![StaticType::Dyn],
                Shape::Bool => vec![StaticType::Bool],
                Shape::Integer => vec![StaticType::Int],
                Shape::Number => vec![StaticType::Int, StaticType::Double],
                Shape::String | Shape::Time => vec![StaticType::String],
                Shape::NumberOrString => vec![StaticType::Int, StaticType::Double, StaticType::String],
                Shape::List(_) => vec![StaticType::List],
                Shape::Map { .. } => vec![StaticType::Map],
            },
            Seen::Kind(kind) => vec![*kind],
            Seen::List(_) => vec![StaticType::List],
            Seen::Map(_) | Seen::Members(_) => vec![StaticType::Map],
            Seen::Optional(_) => vec![StaticType::Optional],
            Seen::Either(several) => several.iter().flat_map(|one| one.kinds(schema)).collect(),
        }
    }

    /// Whether two values may be equal, or ordered.
    pub(super) fn may_compare(&self, other: &Seen, schema: &Schema) -> bool {
        let pairs = |a: StaticType, b: StaticType| {
            let nothing = [StaticType::Null, StaticType::Dyn];
            a == b || (a.is_number() && b.is_number()) || nothing.contains(&a) || nothing.contains(&b)
        };
        let others = other.kinds(schema);
        self.kinds(schema).into_iter().any(|a| others.iter().any(|b| pairs(a, *b)))
    }

    /// `spec.replicas is an integer`, or `a string` for what is no field.
    pub(super) fn described(&self, schema: &Schema) -> String {
        match self {
            Seen::Field(field) => format!("{field} is {}", article(self, schema)),
            Seen::Either(several) => {
                let mut each: Vec<_> = several.iter().map(|one| one.described(schema)).collect();
                each.dedup();
                each.join(" or ")
            }
            other => article(other, schema).to_owned(),
        }
    }

    /// `expected a bool, and spec.replicas is an integer`, or `this is an integer` of what was computed.
    pub(super) fn contradicting(&self, needed: &str, schema: &Schema) -> String {
        let is_named = match self {
            Seen::Either(several) => several.iter().any(|one| matches!(one, Seen::Field(_))),
            one => matches!(one, Seen::Field(_)),
        };
        format!("{needed}, {} {}", if is_named { "and" } else { "this is" }, self.described(schema))
    }

    /// Its types as signatures name them.
    pub(super) fn type_names(&self, schema: &Schema) -> String {
        let mut names: Vec<_> = self.kinds(schema).into_iter().map(StaticType::name).collect();
        names.sort_unstable();
        names.dedup();
        names.join("|")
    }
}
