// The published conformance suite of CEL, a JSON case a line.
//
// In: the package @bufbuild/cel-spec beside this file. Out: on standard output, each case as a request of `expr --batch` with
// its name, and what is expected. Nothing is left out here.

import { tests } from "@bufbuild/cel-spec/testdata/conformance.js";

function* cases(suite, path) {
  for (const test of suite.tests ?? []) {
    yield [[...path, test.original.name].join("/"), test.original];
  }
  for (const inner of suite.suites ?? []) {
    yield* cases(inner, [...path, inner.name]);
  }
}

function expectation(test) {
  if (test.evalError || test.anyEvalErrors) return { error: true };
  if (test.typedResult) return { value: test.typedResult.result };
  if (test.unknown || test.anyUnknowns) return { unknown: true };
  // Where nothing is said, it is true.
  return { value: test.value ?? { boolValue: true } };
}

for (const [name, test] of cases(tests, [])) {
  const bindings = Object.entries(test.bindings ?? {});
  const line = {
    name,
    language: "cel",
    expression: test.expr,
    variables: Object.fromEntries(bindings.map(([variable, bound]) => [variable, bound.value])),
    typed: true,
    container: test.container,
    checkOnly: test.checkOnly,
    disableCheck: test.disableCheck,
    expect: expectation(test),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
