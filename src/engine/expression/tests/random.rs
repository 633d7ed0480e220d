//! Random expressions and objects, made from a tape of bytes so that failures shrink.
//!
//! In: bytes. Out: texts. Must never know: what they give.

/// Decisions; when it has run out, all are 0, which ends every recursion.
pub(super) struct Tape<'b> {
    bytes: std::slice::Iter<'b, u8>,
}

/// Which parts of the language are used.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Dialect {
    /// Everything.
    All,
    /// What Kubernetes has.
    #[allow(dead_code, reason = "the tests that ask Kubernetes make expressions with this file too")]
    Kubernetes,
    /// What the cel crate's interpreter answers as Kubernetes does.
    Shared,
}

const NAMES: [&str; 8] = ["a", "b", "c", "l", "m", "s", "n", "zz"];

impl Dialect {
    fn is_full(self) -> bool {
        self != Dialect::Shared
    }
}

impl<'b> Tape<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Tape { bytes: bytes.iter() }
    }

    pub(super) fn pick<'c>(&mut self, choices: &[&'c str]) -> &'c str {
        choices[self.number(choices.len())]
    }

    pub(super) fn number(&mut self, below: usize) -> usize {
        usize::from(self.bytes.next().copied().unwrap_or(0)) % below
    }

    /// A JSON object.
    pub(super) fn object(&mut self) -> String {
        let mut members = Vec::new();
        for name in &NAMES[..7] {
            if self.number(16) > 0 {
                members.push(format!("{name:?}: {}", self.member(name)));
            }
        }
        format!("{{{}}}", members.join(", "))
    }

    /// Mostly what its name suggests, so that expressions have values more often than errors.
    fn member(&mut self, name: &str) -> String {
        if self.number(4) == 0 {
            return self.json(3);
        }
        match name {
            "a" | "b" => self.pick(&["1", "0", "2.5", "3", "-7"]).to_owned(),
            "c" => format!("[{{\"a\": {}}}, {{\"a\": {}, \"s\": \"x\"}}]", self.json(0), self.json(0)),
            "l" => self.pick(&["[1, 2, 3]", "[\"x\", \"y\"]", "[]", "[0, 1.0]"]).to_owned(),
            "m" => format!("{{\"a\": {}, \"s\": \"x\"}}", self.json(1)),
            "s" => self.pick(&["\"x\"", "\"xa\"", "\"\""]).to_owned(),
            _ => self.pick(&["true", "false", "null"]).to_owned(),
        }
    }

    fn json(&mut self, depth: usize) -> String {
        match self.number(if depth == 0 { 8 } else { 14 }) {
            0 => "1".to_owned(),
            1 => self.pick(&["\"x\"", "\"y\"", "\"\"", "\"a\"", "\"ä€\""]).to_owned(),
            2 => self.pick(&["true", "false"]).to_owned(),
            3 => "null".to_owned(),
            4 => self.pick(&["2.5", "1.0", "-3.25"]).to_owned(),
            5..8 => self.pick(&["0", "2", "-7", "9223372036854775807", "3"]).to_owned(),
            8..11 => {
                let count = self.number(4);
                let items: Vec<String> = (0..count).map(|_| self.json(depth - 1)).collect();
                format!("[{}]", items.join(", "))
            }
            _ => {
                let mut members = Vec::new();
                for name in NAMES {
                    if self.number(3) == 0 {
                        members.push(format!("{name:?}: {}", self.json(depth - 1)));
                    }
                }
                format!("{{{}}}", members.join(", "))
            }
        }
    }

    /// A CEL expression.
    pub(super) fn expression(&mut self, dialect: Dialect) -> String {
        self.any(dialect, 4, &mut vec![])
    }

    fn any(&mut self, dialect: Dialect, depth: usize, variables: &mut Vec<String>) -> String {
        if depth == 0 {
            return self.leaf(variables);
        }
        match self.number(if dialect == Dialect::Shared { 16 } else { 20 }) {
            0 | 1 => self.leaf(variables),
            2..5 => self.truth(dialect, depth - 1, variables),
            5 => {
                let operator = self.pick(&["-", "*", "/", "%"]);
                self.pair(dialect, operator, depth, variables)
            }
            6 => {
                let path = self.path(variables);
                format!("size({path})")
            }
            7 => {
                let condition = self.truth(dialect, depth - 1, variables);
                let then = self.any(dialect, depth - 1, variables);
                let otherwise = self.any(dialect, depth - 1, variables);
                format!("({condition} ? {then} : {otherwise})")
            }
            8 => self.each(dialect, "map", depth, variables),
            9 => self.each(dialect, "filter", depth, variables),
            10 => {
                let filter = self.each(dialect, "filter", depth, variables);
                format!("{filter}.size()")
            }
            11 => {
                let path = self.path(variables);
                format!("[{path}, {}]", self.any(dialect, depth - 1, variables))
            }
            12 => {
                let functions = ["string", "int", "double", "type"];
                let functions = if dialect.is_full() { &functions[..] } else { &functions[..3] };
                let function = self.pick(functions);
                let path = self.path(variables);
                format!("{function}({path})")
            }
            13 if dialect.is_full() => self.pair(dialect, "+", depth, variables),
            14 if dialect.is_full() => {
                let path = self.path(variables);
                let name = self.pick(&NAMES);
                format!("{path}.?{name}.orValue({})", self.any(dialect, depth - 1, variables))
            }
            15 if dialect.is_full() => {
                let path = self.path(variables);
                format!("{path}[{}]", self.any(dialect, depth - 1, variables))
            }
            16 => {
                let kind = self.pick(&["transformList", "transformMap"]);
                self.each_pair(dialect, kind, depth, variables)
            }
            17 => self.call(variables),
            18 => self.each(dialect, "sortBy", depth, variables),
            19 if dialect == Dialect::All => self.bind(dialect, depth, variables),
            _ => self.path(variables),
        }
    }

    fn truth(&mut self, dialect: Dialect, depth: usize, variables: &mut Vec<String>) -> String {
        let path = self.path(variables);
        if depth == 0 {
            return format!("{path} == {}", self.literal());
        }
        match self.number(12) {
            0 => format!("{path} == {}", self.literal()),
            1 => format!("{path} != {}", self.literal()),
            2 => format!("{path} in [{}, {}]", self.literal(), self.literal()),
            3 => format!(
                "({} && {})",
                self.truth(dialect, depth - 1, variables),
                self.truth(dialect, depth - 1, variables)
            ),
            4 => format!(
                "({} || {})",
                self.truth(dialect, depth - 1, variables),
                self.truth(dialect, depth - 1, variables)
            ),
            5 => format!("!{path}"),
            6 => {
                let name = self.pick(&NAMES);
                if dialect.is_full() { format!("has({path}.{name})") } else { format!("has(object.{name})") }
            }
            7 => {
                let kind = self.pick(&["exists", "all", "exists_one"]);
                if dialect.is_full() && self.number(3) == 0 {
                    return self.each_pair(dialect, kind, depth, variables);
                }
                self.each(dialect, kind, depth, variables)
            }
            8 => {
                let operator = self.pick(&["<", "<=", ">", ">=", "==", "!="]);
                self.pair(dialect, operator, depth, variables)
            }
            9 => {
                let method = self.pick(&["startsWith", "endsWith", "contains", "matches"]);
                let path = if self.number(3) > 0 { "object.s".to_owned() } else { path };
                format!("{path}.{method}({})", self.pick(&["'x'", "'a'", "''", "object.s"]))
            }
            // The cel crate refuses to look for what cannot be a key.
            10 => format!("{} in {path}", self.pick(&["'x'", "1", "true", "'a'"])),
            _ => path,
        }
    }

    fn pair(
        &mut self,
        dialect: Dialect,
        operator: &str,
        depth: usize,
        variables: &mut Vec<String>,
    ) -> String {
        let left = self.any(dialect, depth - 1, variables);
        format!("({left} {operator} {})", self.any(dialect, depth - 1, variables))
    }

    fn each(&mut self, dialect: Dialect, kind: &str, depth: usize, variables: &mut Vec<String>) -> String {
        let usual = self.pick(&["object.l", "object.c", "object.m", "object.l", ""]);
        let path = if usual.is_empty() { self.path(variables) } else { usual.to_owned() };
        // Maps are walked over in another order by the cel crate.
        let range = if dialect == Dialect::Shared { format!("[{path}, 1, 'x']") } else { path };
        let name = self.pick(&["x", "y", "z"]).to_owned();
        variables.push(name.clone());
        let body = if kind == "map" {
            self.any(dialect, depth - 1, variables)
        } else {
            self.truth(dialect, depth - 1, variables)
        };
        variables.pop();
        format!("{range}.{kind}({name}, {body})")
    }

    fn leaf(&mut self, variables: &[String]) -> String {
        if self.number(4) == 0 { self.literal().to_owned() } else { self.path(variables) }
    }

    fn path(&mut self, variables: &[String]) -> String {
        let mut path = match self.number(variables.len() * 2 + 1) {
            0 => format!("object.{}", self.pick(&NAMES)),
            variable => variables[(variable - 1) / 2].clone(),
        };
        let steps = [0, 0, 0, 0, 1, 1, 2][self.number(7)];
        for _ in 0..steps {
            path += &match self.number(5) {
                0 => format!("[{}]", self.number(3)),
                1 => format!("['{}']", self.pick(&NAMES)),
                _ => format!(".{}", self.pick(&NAMES)),
            };
        }
        path
    }

    /// A macro that binds two variables.
    fn each_pair(
        &mut self,
        dialect: Dialect,
        kind: &str,
        depth: usize,
        variables: &mut Vec<String>,
    ) -> String {
        let range = self.path(variables);
        let (first, second) = (format!("i{}", variables.len()), format!("v{}", variables.len()));
        variables.extend([first.clone(), second.clone()]);
        let body = match kind {
            "transformList" | "transformMap" => self.any(dialect, depth - 1, variables),
            _ => self.truth(dialect, depth - 1, variables),
        };
        variables.truncate(variables.len() - 2);
        format!("{range}.{kind}({first}, {second}, {body})")
    }

    /// `cel.bind`
    fn bind(&mut self, dialect: Dialect, depth: usize, variables: &mut Vec<String>) -> String {
        let value = self.any(dialect, depth - 1, variables);
        let variable = format!("b{}", variables.len());
        variables.push(variable.clone());
        let body = self.any(dialect, depth - 1, variables);
        variables.pop();
        format!("cel.bind({variable}, {value}, {body})")
    }

    /// A function of the libraries.
    fn call(&mut self, variables: &[String]) -> String {
        let (path, other) = (self.path(variables), self.path(variables));
        match self.number(6) {
            0 | 1 => {
                let lists = ["sum", "min", "max", "isSorted", "distinct", "sort", "first", "last", "flatten"];
                format!("{path}.{}()", self.pick(&lists))
            }
            2 => {
                format!("{path}.{}({other})", self.pick(&["indexOf", "lastIndexOf", "split", "find", "join"]))
            }
            3 => format!("sets.{}({path}, [{other}])", self.pick(&["contains", "intersects"])),
            4 => format!("'%s'.format([{path}])"),
            _ => format!("{path}.{}()", self.pick(&["lowerAscii", "trim", "hasValue", "value"])),
        }
    }

    fn literal(&mut self) -> &'static str {
        self.pick(&[
            "1",
            "'x'",
            "true",
            "null",
            "2.5",
            "0",
            "'a'",
            "-7",
            "false",
            "3",
            "9223372036854775807",
            "''",
        ])
    }
}
