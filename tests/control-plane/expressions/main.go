// Answers expressions as Kubernetes does: CEL in the API server's base environment, JSONPath in kubectl's dialect.
//
// In: one JSON request a line on standard input. Out: one JSON answer a line on standard output, in the same order.
// A request names the language, the expression and the object that it is about; or it asks for what the environment declares.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/big"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	utilversion "k8s.io/apimachinery/pkg/util/version"
	apiservercel "k8s.io/apiserver/pkg/cel"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/client-go/util/jsonpath"
)

type request struct {
	// cel or kubectl; or declarations
	Language   string          `json:"language"`
	Expression string          `json:"expression"`
	Object     json.RawMessage `json:"object"`
}

type answer struct {
	// What a CEL expression gives.
	Value any `json:"value,omitempty"`
	// What a JSONPath selects; null is written as such.
	Values *[]any `json:"values,omitempty"`
	// Of CEL, what the type checker found to be called.
	Calls        []string      `json:"calls,omitempty"`
	Declarations []declaration `json:"declarations,omitempty"`
	Error        string        `json:"error,omitempty"`
	// compile or evaluate
	Stage string `json:"stage,omitempty"`
}

func main() {
	env, err := environment.MustBaseEnvSet(utilversion.MajorMinor(1, 36)).Extend(environment.VersionedOptions{
		IntroducedVersion: utilversion.MajorMinor(1, 0),
		EnvOptions:        []cel.EnvOption{cel.Variable("object", cel.DynType), cel.EnableMacroCallTracking()},
	})
	if err != nil {
		fatal(err)
	}
	expressions, err := env.Env(environment.StoredExpressions)
	if err != nil {
		fatal(err)
	}
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			var question request
			if err := json.Unmarshal(line, &question); err != nil {
				fatal(err)
			}
			written, err := json.Marshal(answerTo(expressions, question))
			if err != nil {
				fatal(err)
			}
			out.Write(append(written, '\n'))
		}
		if in.Buffered() == 0 {
			out.Flush()
		}
		if err == io.EOF {
			return
		}
		if err != nil {
			fatal(err)
		}
	}
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func answerTo(env *cel.Env, question request) (given answer) {
	defer func() {
		if panicked := recover(); panicked != nil {
			given = answer{Error: fmt.Sprint("panic: ", panicked), Stage: "evaluate"}
		}
	}()
	if question.Language == "declarations" {
		return answer{Declarations: declarations(env)}
	}
	object, err := decode(question.Object)
	if err != nil {
		return answer{Error: err.Error(), Stage: "object"}
	}
	if question.Language == "kubectl" {
		return selectNodes(question.Expression, object)
	}
	return evaluate(env, question.Expression, object)
}

// As the API server decodes: whole numbers are int64 where they fit, all others are doubles.
func decode(text []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	return numbers(value)
}

func numbers(value any) (any, error) {
	switch value := value.(type) {
	case json.Number:
		if whole, err := strconv.ParseInt(value.String(), 10, 64); err == nil {
			return whole, nil
		}
		return value.Float64()
	case []any:
		for index := range value {
			converted, err := numbers(value[index])
			if err != nil {
				return nil, err
			}
			value[index] = converted
		}
	case map[string]any:
		for name := range value {
			converted, err := numbers(value[name])
			if err != nil {
				return nil, err
			}
			value[name] = converted
		}
	}
	return value, nil
}

// Makes values as the API server does, except that maps are walked over in the order of their keys, which is left to chance
// there.
type ordered struct {
	types.Adapter
}

func (adapter ordered) NativeToValue(value any) ref.Val {
	switch value := value.(type) {
	case map[string]any:
		return orderedMap{types.NewStringInterfaceMap(adapter, value)}
	case []any:
		elements := make([]ref.Val, len(value))
		for index := range value {
			elements[index] = adapter.NativeToValue(value[index])
		}
		return types.NewRefValList(adapter, elements)
	}
	return adapter.Adapter.NativeToValue(value)
}

type orderedMap struct {
	traits.Mapper
}

func (m orderedMap) Iterator() traits.Iterator {
	var keys []string
	for each := m.Mapper.Iterator(); each.HasNext() == types.True; {
		keys = append(keys, string(each.Next().(types.String)))
	}
	sort.Strings(keys)
	return types.NewStringList(types.DefaultTypeAdapter, keys).Iterator()
}

func selectNodes(expression string, object any) answer {
	path := jsonpath.New("expression").AllowMissingKeys(true)
	if err := path.Parse(expression); err != nil {
		return answer{Error: err.Error(), Stage: "compile"}
	}
	results, err := path.FindResults(object)
	if err != nil {
		return answer{Error: err.Error(), Stage: "evaluate"}
	}
	values := []any{}
	for _, result := range results {
		for _, node := range result {
			if node.IsValid() && node.CanInterface() {
				values = append(values, node.Interface())
			} else {
				values = append(values, nil)
			}
		}
	}
	return answer{Values: &values}
}

func evaluate(env *cel.Env, expression string, object any) answer {
	checked, issues := env.Compile(expression)
	if issues.Err() != nil {
		return answer{Error: issues.Err().Error(), Stage: "compile"}
	}
	program, err := env.Program(checked, cel.InterruptCheckFrequency(100))
	if err != nil {
		return answer{Error: err.Error(), Stage: "compile"}
	}
	value, _, err := program.Eval(map[string]any{"object": ordered{types.DefaultTypeAdapter}.NativeToValue(object)})
	if err != nil {
		return answer{Error: err.Error(), Stage: "evaluate"}
	}
	written, err := write(value)
	if err != nil {
		return answer{Error: err.Error(), Stage: "write"}
	}
	return answer{Value: written, Calls: called(checked)}
}

// The JSON form of cel.expr.Value; what has none is an objectValue with its type and its text.
func write(value ref.Val) (any, error) {
	one := func(kind string, value any) (any, error) { return map[string]any{kind: value}, nil }
	object := func(kind, text string) (any, error) {
		return one("objectValue", map[string]any{"@type": kind, "value": text})
	}
	switch value := value.(type) {
	case types.Null:
		return one("nullValue", nil)
	case types.Bool:
		return one("boolValue", bool(value))
	case types.Int:
		return one("int64Value", strconv.FormatInt(int64(value), 10))
	case types.Uint:
		return one("uint64Value", strconv.FormatUint(uint64(value), 10))
	case types.Double:
		return one("doubleValue", double(float64(value)))
	case types.String:
		return one("stringValue", string(value))
	case types.Bytes:
		return one("bytesValue", base64.StdEncoding.EncodeToString(value))
	case types.Timestamp:
		return object("type.googleapis.com/google.protobuf.Timestamp", value.Time.UTC().Format(time.RFC3339Nano))
	case types.Duration:
		return object("type.googleapis.com/google.protobuf.Duration", seconds(value.Duration))
	case *types.Optional:
		if !value.HasValue() {
			return one("optionalValue", nil)
		}
		inner, err := write(value.GetValue())
		if err != nil {
			return nil, err
		}
		return one("optionalValue", inner)
	case *types.Type:
		return one("typeValue", value.TypeName())
	case apiservercel.Quantity:
		return object("kubernetes.Quantity", value.Quantity.String())
	case *apiservercel.Quantity:
		return object("kubernetes.Quantity", value.Quantity.String())
	case apiservercel.Semver:
		return object("kubernetes.Semver", value.Version.String())
	case apiservercel.IP:
		return object("net.IP", value.Addr.String())
	case apiservercel.CIDR:
		return object("net.CIDR", value.Prefix.String())
	case apiservercel.URL:
		return object("kubernetes.URL", value.URL.String())
	case apiservercel.Format:
		return object("kubernetes.NamedFormat", value.Name)
	case traits.Lister:
		values := []any{}
		for each := value.Iterator(); each.HasNext() == types.True; {
			element, err := write(each.Next())
			if err != nil {
				return nil, err
			}
			values = append(values, element)
		}
		return one("listValue", map[string]any{"values": values})
	case traits.Mapper:
		entries := []any{}
		for each := value.Iterator(); each.HasNext() == types.True; {
			key := each.Next()
			name, err := write(key)
			if err != nil {
				return nil, err
			}
			member, err := write(value.Get(key))
			if err != nil {
				return nil, err
			}
			entries = append(entries, map[string]any{"key": name, "value": member})
		}
		return one("mapValue", map[string]any{"entries": entries})
	}
	return nil, fmt.Errorf("no form for a %T", value)
}

// All digits, which CEL's own text does not have.
func seconds(duration time.Duration) string {
	sign, size := "", new(big.Int).Abs(big.NewInt(int64(duration)))
	if duration < 0 {
		sign = "-"
	}
	whole, nanos := new(big.Int).DivMod(size, big.NewInt(int64(time.Second)), new(big.Int))
	fraction := strings.TrimRight(fmt.Sprintf(".%09d", nanos), "0")
	return sign + whole.String() + strings.TrimSuffix(fraction, ".") + "s"
}

func double(value float64) any {
	switch {
	case math.IsNaN(value):
		return "NaN"
	case math.IsInf(value, 1):
		return "Infinity"
	case math.IsInf(value, -1):
		return "-Infinity"
	}
	return value
}
