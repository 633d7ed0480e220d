//! Expressions whose parts are mostly of the types that they need, and now and then are not.
//!
//! In: choices. Out: texts. Must never know: what they give.

use super::super::random::Tape;

/// What an expression is meant to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Bool,
    Int,
    Uint,
    Double,
    Text,
    Time,
    Span,
    Texts,
    Ints,
    Objects,
    Object,
    Map,
    Maybe,
}

use Type::*;

/// What a whole expression gives, and what stands where something else is needed: what both print alike.
const SHOWN: [Type; 9] = [Bool, Int, Text, Texts, Ints, Map, Uint, Double, Maybe];

/// Types that have an order.
const ORDERED: [Type; 7] = [Int, Text, Double, Time, Uint, Span, Bool];

/// Where objects mostly have a value of a type.
const PATHS: &[(Type, &str)] = &[
    (Bool, "object.spec.paused"),
    (Bool, "object.status.containerStatuses[0].ready"),
    (Bool, "object.metadata.ownerReferences[0].controller"),
    (Int, "object.metadata.generation"),
    (Int, "object.spec.replicas"),
    (Int, "object.status.readyReplicas"),
    (Int, "object.spec.ports[0]"),
    (Int, "object.status.containerStatuses[1].restartCount"),
    (Double, "object.spec.weight"),
    (Text, "object.status.phase"),
    (Text, "object.metadata.name"),
    (Text, "object.metadata.labels.app"),
    (Text, "object.metadata.labels['app.kubernetes.io/name']"),
    (Text, "object.spec.nodeName"),
    (Text, "object.spec.containers[0].image"),
    (Text, "object.spec.containers[1].name"),
    (Text, "object.metadata.creationTimestamp"),
    (Text, "object.status.conditions[0].type"),
    (Text, "object.kind"),
    (Texts, "object.metadata.finalizers"),
    (Texts, "object.spec.paths"),
    (Texts, "object.spec.containers[0].args"),
    (Ints, "object.spec.ports"),
    (Objects, "object.spec.containers"),
    (Objects, "object.status.containerStatuses"),
    (Objects, "object.status.conditions"),
    (Objects, "object.metadata.ownerReferences"),
    (Map, "object.metadata.labels"),
    (Map, "object.metadata.annotations"),
    (Map, "object.spec.nodeSelector"),
    (Map, "object.metadata"),
];

/// The same for members of a loop's element.
const MEMBERS: &[(Type, &str)] = &[
    (Text, "name"),
    (Text, "image"),
    (Text, "type"),
    (Text, "lastTransitionTime"),
    (Bool, "ready"),
    (Bool, "status"),
    (Bool, "controller"),
    (Int, "restartCount"),
    (Texts, "args"),
];

const LITERALS: &[(Type, &[&str])] = &[
    (Bool, &["true", "false"]),
    (Int, &["1", "0", "3", "-1", "30", "9223372036854775807", "-9223372036854775808"]),
    (Uint, &["1u", "0u", "18446744073709551615u", "7u"]),
    (Double, &["0.5", "1.0", "-2.25", "1e3", "0.0", "1e308"]),
    (
        Text,
        &[
            "'Running'",
            "'web'",
            "''",
            "'Ünïcode-€'",
            "'12'",
            "'2026-01-01T00:00:00Z'",
            "'1h30m'",
            "'true'",
            "'0.5'",
        ],
    ),
    (Time, &["timestamp('2026-01-01T00:00:00Z')", "timestamp('1970-01-01T01:00:00+01:00')", "timestamp(0)"]),
    (Span, &["duration('1h30m')", "duration('-0.5s')", "duration('0s')", "duration('90061001ms')"]),
    (Texts, &["['web', 'a']", "[]", "['']"]),
    (Ints, &["[1, 2, 3]", "[0]", "[3, -1, 3]"]),
    (Objects, &["[{'name': 'web', 'ready': true}]", "[{}]"]),
    (Object, &["{'name': 'web', 'ready': true}", "{}"]),
    (Map, &["{'app': 'web', 'tier': 'a'}", "{}"]),
    (Maybe, &["optional.none()", "optional.of(1)", "optional.of('web')"]),
];

/// For whom an expression is written. Where the two mean different things by the same words, each gets its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    Ours,
    Theirs,
}

/// One expression in the making.
pub(super) struct Writer<'b> {
    tape: Tape<'b>,
    reader: Reader,
    variables: Vec<(String, Type)>,
    /// Whether types are hidden from the checker, so that what is wrong is found only when it is evaluated.
    is_dyn: bool,
    /// How many operators stand around this that take more than they should where a map is an operand.
    without_maps: usize,
}

// === impl Writer ===

impl<'b> Writer<'b> {
    /// A whole expression; the same choices give the same one to both readers.
    pub(super) fn expression(choices: &'b [u8], reader: Reader) -> String {
        let mut tape = Tape::new(choices);
        let is_dyn = tape.number(2) == 1;
        let mut writer = Writer { tape, reader, variables: vec![], is_dyn, without_maps: 0 };
        let kind = SHOWN[writer.tape.number(SHOWN.len())];
        writer.of(kind, 4)
    }

    /// An expression that gives `kind`, or now and then something else.
    fn of(&mut self, kind: Type, depth: usize) -> String {
        let wrong = SHOWN[self.tape.number(24).min(SHOWN.len() - 1)];
        // Most of the time the last, which stands for "as it should be".
        let is_allowed = wrong != Maybe && (wrong != Map || self.without_maps == 0);
        let kind = if is_allowed && self.tape.number(4) == 3 { wrong } else { kind };
        if depth == 0 || self.tape.number(4) == 0 {
            return self.leaf(kind);
        }
        let depth = depth - 1;
        match kind {
            Bool => self.truth(depth),
            Int => self.int(depth),
            Uint => self.uint(depth),
            Double => self.double(depth),
            Text => self.text(depth),
            Time => self.time(depth),
            Span => self.span(depth),
            Texts => self.texts(depth),
            Ints => self.ints(depth),
            Objects => self.objects(depth),
            Object => self.leaf(Object),
            Map => self.map(depth),
            Maybe => self.maybe(depth),
        }
    }

    /// The words for the reader.
    fn mine<T>(&self, ours: T, theirs: T) -> T {
        if self.reader == Reader::Ours { ours } else { theirs }
    }

    /// What gives `kind` or a scalar, where the two do different things with other lists and maps.
    fn steady(&mut self, kind: Type) -> String {
        let variables = std::mem::take(&mut self.variables);
        let leaf = self.leaf(kind);
        self.variables = variables;
        leaf
    }

    /// A list, or what is none, but no map.
    fn list(&mut self, kind: Type, depth: usize) -> String {
        self.without_maps += 1;
        let list = self.of(kind, depth);
        self.without_maps -= 1;
        list
    }

    fn one_of(&mut self, kinds: &[Type], depth: usize) -> String {
        let kind = kinds[self.tape.number(kinds.len())];
        self.of(kind, depth)
    }

    fn leaf(&mut self, kind: Type) -> String {
        let mut paths: Vec<String> =
            PATHS.iter().filter(|(of, _)| *of == kind).map(|(_, path)| (*path).to_owned()).collect();
        for (name, of) in self.variables.iter().rev() {
            if *of == kind {
                paths.insert(0, name.clone());
            } else if *of == Object {
                let members = MEMBERS.iter().filter(|(of, _)| *of == kind);
                paths.splice(0..0, members.map(|(_, member)| format!("{name}.{member}")));
            }
        }
        if !paths.is_empty() && self.tape.number(3) < 2 {
            return paths.swap_remove(self.tape.number(paths.len()));
        }
        let literals = LITERALS.iter().find(|(of, _)| *of == kind).expect("every type has literals").1;
        let literal = self.tape.pick(literals);
        if self.is_dyn && !matches!(kind, Time | Span) {
            format!("dyn({literal})")
        } else {
            literal.to_owned()
        }
    }

    fn truth(&mut self, depth: usize) -> String {
        match self.tape.number(15) {
            0 | 1 => format!("({} && {})", self.of(Bool, depth), self.of(Bool, depth)),
            2 => format!("({} || {})", self.of(Bool, depth), self.of(Bool, depth)),
            3 => format!("!{}", self.of(Bool, depth)),
            4 | 5 => {
                let kind = self.tape.pick(&["exists", "all", "exists_one"]);
                let range = [Objects, Texts, Ints, Map][self.tape.number(4)];
                self.each(kind, range, Bool, depth)
            }
            6 => {
                let path = self.tape.pick(&[
                    "metadata.labels.app",
                    "metadata.labels",
                    "spec.replicas",
                    "status.x.y",
                ]);
                format!("has(object.{path})")
            }
            7 => match self.tape.number(3) {
                // They refuse to look for what cannot be a key.
                0 => format!("string({}) in {}", self.leaf(Text), self.of(Map, depth)),
                1 => format!("{} in {}", self.of(Text, depth), self.list(Texts, depth)),
                _ => format!("{} in {}", self.of(Int, depth), self.list(Ints, depth)),
            },
            8 => {
                let method = self.tape.pick(&["startsWith", "endsWith", "contains"]);
                format!("{}.{method}({})", self.of(Text, depth), self.of(Text, depth))
            }
            9 => {
                let pattern = self.tape.pick(&["'^w'", "'[a-z]+-[0-9]'", "'€$'", "''", "'^registry\\\\.'"]);
                format!("{}.matches({pattern})", self.of(Text, depth))
            }
            10 => format!("{}.hasValue()", self.of(Maybe, depth)),
            11 => self.either(Bool, depth),
            12 => format!("bool({})", self.one_of(&[Text, Bool], depth)),
            13 => {
                let kind = [Int, Text, Double, Texts, Map, Bool][self.tape.number(6)];
                let name = self.tape.pick(&["int", "string", "double", "list", "map", "bool", "null_type"]);
                format!("type({}) == {name}", self.of(kind, depth))
            }
            _ => self.compared(depth),
        }
    }

    fn compared(&mut self, depth: usize) -> String {
        let operator = self.tape.pick(&["==", "!=", "<", "<=", ">", ">="]);
        let kind = if operator.contains('=') && self.tape.number(4) == 3 {
            [Texts, Ints, Map, Objects, Maybe][self.tape.number(5)]
        } else {
            ORDERED[self.tape.number(ORDERED.len())]
        };
        let other = match kind {
            Int | Double | Uint => [Int, Double, Uint][self.tape.number(3)],
            other => other,
        };
        format!("({} {operator} {})", self.of(kind, depth), self.of(other, depth))
    }

    fn int(&mut self, depth: usize) -> String {
        match self.tape.number(12) {
            0 => {
                let kind = [Texts, Text, Objects, Map, Ints][self.tape.number(5)];
                let range = self.of(kind, depth);
                if self.tape.number(2) == 0 { format!("size({range})") } else { format!("{range}.size()") }
            }
            1 => {
                let range = [Objects, Texts, Ints, Map][self.tape.number(4)];
                format!("{}.size()", self.each("filter", range, Bool, depth))
            }
            2 | 3 => self.sum(&["+", "-", "*", "/", "%"], Int, Int, depth),
            4 => format!("(-{})", self.of(Int, depth)),
            5 => {
                let kind = [Text, Double, Uint, Int, Time][self.tape.number(5)];
                format!("int({})", self.of(kind, depth))
            }
            6 => {
                let method =
                    self.tape.pick(&["getFullYear", "getMonth", "getDayOfWeek", "getDayOfYear", "getHours"]);
                let zone = self.tape.pick(&["", "'Europe/Berlin'", "'-02:30'", "'nowhere'"]);
                let zone = if zone.is_empty() { self.mine("", "'UTC'") } else { zone };
                format!("{}.{method}({zone})", self.of(Time, depth))
            }
            7 => format!("{}.getSeconds()", self.of(Span, depth)),
            8 => {
                let method = self.tape.pick(&["indexOf", "lastIndexOf"]);
                format!("{}.{method}({})", self.steady(Text), self.of(Text, depth))
            }
            9 => self.either(Int, depth),
            10 => {
                let function = self.tape.pick(&["abs", "sign", "bitNot"]);
                format!("math.{function}({})", self.of(Int, depth))
            }
            _ => format!("{}[{}]", self.of(Ints, depth), self.of(Int, depth)),
        }
    }

    fn uint(&mut self, depth: usize) -> String {
        match self.tape.number(3) {
            0 => format!("uint({})", self.one_of(&[Int, Double, Text], depth)),
            1 => self.sum(&["+", "-", "*", "/", "%"], Uint, Uint, depth),
            _ => self.either(Uint, depth),
        }
    }

    fn double(&mut self, depth: usize) -> String {
        match self.tape.number(5) {
            0 => format!("double({})", self.one_of(&[Int, Text, Uint, Double], depth)),
            1 | 2 => self.sum(&["+", "-", "*", "/"], Double, Double, depth),
            3 => {
                let function = self.tape.pick(&["ceil", "floor", "round", "trunc", "abs", "sqrt"]);
                format!("math.{function}({})", self.of(Double, depth))
            }
            _ => self.either(Double, depth),
        }
    }

    fn text(&mut self, depth: usize) -> String {
        match self.tape.number(12) {
            0 | 1 => self.sum(&["+"], Text, Text, depth),
            2 => {
                format!("string({})", self.one_of(&[Int, Bool, Uint, Text, Span], depth))
            }
            3 => format!(
                "{}.{}()",
                self.of(Text, depth),
                self.tape.pick(&["lowerAscii", "upperAscii", "trim", "reverse"])
            ),
            4 => format!(
                "{}.replace({}, {})",
                self.of(Text, depth),
                self.of(Text, depth),
                self.of(Text, depth)
            ),
            5 => format!(
                "{}.substring({}, {})",
                self.of(Text, depth),
                self.of(Int, depth),
                self.of(Int, depth)
            ),
            6 => format!("{}.charAt({})", self.of(Text, depth), self.of(Int, depth)),
            7 => format!("{}.join({})", self.of(Texts, depth), self.of(Text, depth)),
            8 => format!("{}[{}]", self.of(Texts, depth), self.of(Int, depth)),
            9 => format!("{}[{}]", self.of(Map, depth), self.of(Text, depth)),
            10 => {
                let kind = [Text, Int, Bool][self.tape.number(3)];
                format!("'%s/%s'.format([{}, {}])", self.leaf(kind), self.leaf(Text))
            }
            _ => self.either(Text, depth),
        }
    }

    fn time(&mut self, depth: usize) -> String {
        match self.tape.number(3) {
            0 => format!("timestamp({})", self.one_of(&[Text, Int], depth)),
            1 => self.sum(&["+", "-"], Time, Span, depth),
            _ => self.either(Time, depth),
        }
    }

    fn span(&mut self, depth: usize) -> String {
        match self.tape.number(4) {
            // They overlook what follows a duration.
            0 => format!("duration({})", self.leaf(Text)),
            1 => self.sum(&["-"], Time, Time, depth),
            2 => self.sum(&["+", "-"], Span, Span, depth),
            _ => self.either(Span, depth),
        }
    }

    fn texts(&mut self, depth: usize) -> String {
        match self.tape.number(8) {
            0 => self.each("map", Objects, Text, depth),
            1 => self.each("map", Texts, Text, depth),
            2 => self.each("filter", Texts, Bool, depth),
            3 => self.sum(&["+"], Texts, Texts, depth),
            4 => format!("[{}, {}]", self.of(Text, depth), self.of(Text, depth)),
            5 => format!("{}.split({})", self.of(Text, depth), self.of(Text, depth)),
            6 => self.listed(Texts, depth),
            _ => self.either(Texts, depth),
        }
    }

    fn ints(&mut self, depth: usize) -> String {
        match self.tape.number(6) {
            0 => {
                let range = [Objects, Ints, Texts][self.tape.number(3)];
                self.each("map", range, Int, depth)
            }
            1 => self.each("filter", Ints, Bool, depth),
            2 => self.sum(&["+"], Ints, Ints, depth),
            3 => format!("[{}, {}]", self.of(Int, depth), self.of(Int, depth)),
            4 => self.listed(Ints, depth),
            _ => self.either(Ints, depth),
        }
    }

    fn listed(&mut self, kind: Type, depth: usize) -> String {
        let list = self.of(kind, depth);
        match self.tape.number(4) {
            0 => format!("{list}.slice({}, {})", self.of(Int, depth), self.of(Int, depth)),
            1 => format!("[{list}, {list}].flatten()"),
            _ => format!("{list}.{}()", self.tape.pick(&["distinct", "reverse", "sort"])),
        }
    }

    fn objects(&mut self, depth: usize) -> String {
        match self.tape.number(3) {
            0 => self.each("filter", Objects, Bool, depth),
            1 => self.sum(&["+"], Objects, Objects, depth),
            _ => self.either(Objects, depth),
        }
    }

    fn map(&mut self, depth: usize) -> String {
        match self.tape.number(3) {
            0 => format!("{{'app': {}, 'n': {}}}", self.of(Text, depth), self.of(Int, depth)),
            1 => {
                let value = self.of(Bool, depth);
                let maybe = self.of(Maybe, depth);
                format!("{{'a': {value}, ?'b': {maybe}{}}}", self.mine("", ".or(optional.none())"))
            }
            _ => self.either(Map, depth),
        }
    }

    fn maybe(&mut self, depth: usize) -> String {
        match self.tape.number(6) {
            0 => format!("{}.?app", self.steady(Map)),
            1 => {
                let path = self.tape.pick(&[
                    "metadata.?labels.app",
                    "?spec.replicas",
                    "spec.?containers[0].?name",
                    "status.?x.y",
                ]);
                format!("object.{path}")
            }
            2 => format!("{}[?{}]", self.steady(Texts), self.tape.number(3)),
            3 => format!("optional.of({})", self.one_of(&[Text, Int], depth)),
            4 => {
                let (maybe, other) = (self.of(Maybe, depth), self.of(Maybe, depth));
                let theirs = format!("({maybe}.hasValue() ? {maybe} : {other}.or(optional.none()))");
                self.mine(format!("{maybe}.or({other})"), theirs)
            }
            _ => self.either(Maybe, depth),
        }
    }

    /// What has a value of any type: a condition, or an optional and what stands for it.
    fn either(&mut self, kind: Type, depth: usize) -> String {
        if self.tape.number(3) == 2 && kind != Maybe {
            let (maybe, other) = (self.of(Maybe, depth), self.of(kind, depth));
            let theirs = format!("({maybe}.hasValue() ? {maybe}.value() : {other})");
            return self.mine(format!("{maybe}.orValue({other})"), theirs);
        }
        format!("({} ? {} : {})", self.of(Bool, depth), self.of(kind, depth), self.of(kind, depth))
    }

    fn sum(&mut self, operators: &[&str], left: Type, right: Type, depth: usize) -> String {
        self.without_maps += 1;
        let operator = self.tape.pick(operators);
        let sum = format!("({} {operator} {})", self.of(left, depth), self.of(right, depth));
        self.without_maps -= 1;
        sum
    }

    fn each(&mut self, kind: &str, range: Type, body: Type, depth: usize) -> String {
        let element = match range {
            Objects => Object,
            Ints => Int,
            _ => Text,
        };
        // The members of a map come in another order there, which lists would show.
        let is_list = matches!(kind, "map" | "filter") && range != Map;
        let over = if is_list { self.list(range, depth) } else { self.of(range, depth) };
        let name = format!("x{}", self.variables.len());
        self.variables.push((name.clone(), element));
        let body = self.of(body, depth);
        self.variables.pop();
        format!("{over}.{kind}({name}, {body})")
    }
}
