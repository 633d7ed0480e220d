package main

import (
	"sort"
	"strconv"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
)

// One overload of a function, or one form of a macro, that the environment declares.
type declaration struct {
	Name string `json:"name"`
	// As checked expressions name it; of a macro, its name, how many arguments it takes and whether it has a receiver.
	ID string `json:"id"`
	// What it takes and gives.
	Signature string `json:"signature"`
}

// All that expressions may call, by the name of its function.
func declarations(env *cel.Env) []declaration {
	var declared []declaration
	for name, function := range env.Functions() {
		for _, overload := range function.OverloadDecls() {
			declared = append(declared, declaration{
				Name:      name,
				ID:        overload.ID(),
				Signature: signature(name, overload.IsMemberFunction(), overload.ArgTypes(), overload.ResultType()),
			})
		}
	}
	for _, macro := range env.Macros() {
		arguments := strings.TrimSuffix(strings.Repeat("_, ", macro.ArgCount()), ", ")
		written := macro.Function() + "(" + arguments + ")"
		if macro.IsReceiverStyle() {
			written = "_." + written
		}
		declared = append(declared, declaration{Name: macro.Function(), ID: macro.MacroKey(), Signature: written})
	}
	sort.Slice(declared, func(i, j int) bool {
		if declared[i].Name != declared[j].Name {
			return declared[i].Name < declared[j].Name
		}
		return declared[i].Signature+declared[i].ID < declared[j].Signature+declared[j].ID
	})
	return declared
}

func signature(name string, member bool, parameters []*types.Type, result *types.Type) string {
	var receiver string
	written := make([]string, len(parameters))
	for index, parameter := range parameters {
		written[index] = parameter.String()
	}
	if member {
		receiver, written = written[0]+".", written[1:]
	}
	return receiver + name + "(" + strings.Join(written, ", ") + ") -> " + result.String()
}

// The overloads that a checked expression surely calls, and the macros that it was written with. A call for which several
// overloads are left until it is evaluated names none of them.
func called(checked *cel.Ast) []string {
	found := map[string]bool{}
	for _, reference := range checked.NativeRep().ReferenceMap() {
		if len(reference.OverloadIDs) == 1 {
			found[reference.OverloadIDs[0]] = true
		}
	}
	for _, written := range checked.NativeRep().SourceInfo().MacroCalls() {
		call := written.AsCall()
		found[macroKey(call.FunctionName(), len(call.Args()), call.IsMemberFunction())] = true
	}
	var names []string
	for name := range found {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func macroKey(name string, arguments int, member bool) string {
	return name + ":" + strconv.Itoa(arguments) + ":" + strconv.FormatBool(member)
}
