// Reads exposition pages with Prometheus' own parsers and says what they hold.
//
// In: one JSON request a line on standard input. Out: one JSON answer a line on standard output, in the same order.
// A request is a page in one of the two text formats, an OTLP/JSON export request, or names to be translated by
// OpenTelemetry's rules.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/otlptranslator"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	otlp "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

type request struct {
	// The Content-Type of Page; empty if this request is about names.
	ContentType string   `json:"content_type"`
	Page        string   `json:"page"`
	Metrics     []metric `json:"metrics"`
	Labels      []string `json:"labels"`
	// An OTLP/JSON export request, if this request is about one.
	OTLP string `json:"otlp"`
}

type metric struct {
	Name  string `json:"name"`
	Unit  string `json:"unit"`
	Gauge bool   `json:"gauge"`
}

type answer struct {
	Error   string   `json:"error"`
	Entries []entry  `json:"entries"`
	Lint    []string `json:"lint"`
	// Translated names, empty where there is none.
	Metrics []string `json:"metrics"`
	Labels  []string `json:"labels"`
	// The points of the export request, one a text: name, unit, kind, attributes, value and times.
	Points []string `json:"points"`
}

// One line of a page: HELP, TYPE or UNIT with Name and Text, or a sample with Labels (its name among them) and Bits.
type entry struct {
	Line   string            `json:"line"`
	Name   string            `json:"name"`
	Text   string            `json:"text"`
	Labels map[string]string `json:"labels"`
	// The IEEE 754 bits of the value in hexadecimal, so that nothing is lost on the way.
	Bits string `json:"bits"`
}

func main() {
	in := bufio.NewReader(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return
		}
		var asked request
		if err := json.Unmarshal(line, &asked); err != nil {
			fmt.Fprintln(os.Stderr, "malformed request:", err)
			os.Exit(1)
		}
		if err := out.Encode(respond(asked)); err != nil {
			fmt.Fprintln(os.Stderr, "cannot answer:", err)
			os.Exit(1)
		}
	}
}

func respond(asked request) answer {
	var given answer
	if asked.OTLP != "" {
		points, err := points(asked.OTLP)
		given.Points = points
		if err != nil {
			given.Error = err.Error()
		}
		return given
	}
	if asked.ContentType == "" {
		given.Metrics, given.Labels = translate(asked)
		return given
	}
	entries, err := parse(asked.Page, asked.ContentType)
	if err == nil && strings.HasPrefix(asked.ContentType, "text/plain") {
		given.Lint, err = lint(asked.Page)
	}
	given.Entries = entries
	if err != nil {
		given.Error = err.Error()
	}
	return given
}

func parse(page, contentType string) ([]entry, error) {
	parser, err := textparse.New([]byte(page), contentType, labels.NewSymbolTable(), textparse.ParserOptions{})
	if err != nil {
		return nil, err
	}
	var entries []entry
	for {
		kind, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return entries, nil
		}
		if err != nil {
			return nil, err
		}
		next, err := read(parser, kind)
		if err != nil {
			return nil, err
		}
		entries = append(entries, next)
	}
}

func read(parser textparse.Parser, kind textparse.Entry) (entry, error) {
	switch kind {
	case textparse.EntryHelp:
		name, text := parser.Help()
		return entry{Line: "HELP", Name: string(name), Text: string(text)}, nil
	case textparse.EntryType:
		name, text := parser.Type()
		return entry{Line: "TYPE", Name: string(name), Text: string(text)}, nil
	case textparse.EntryUnit:
		name, text := parser.Unit()
		return entry{Line: "UNIT", Name: string(name), Text: string(text)}, nil
	case textparse.EntrySeries:
		return sample(parser)
	default:
		return entry{}, fmt.Errorf("unexpected entry %d", kind)
	}
}

func sample(parser textparse.Parser) (entry, error) {
	_, timestamp, value := parser.Series()
	if timestamp != nil {
		return entry{}, errors.New("a sample has a timestamp")
	}
	var found labels.Labels
	parser.Labels(&found)
	if name, double := found.HasDuplicateLabelNames(); double {
		return entry{}, fmt.Errorf("label %s twice in one sample", name)
	}
	return entry{Line: "sample", Labels: found.Map(), Bits: fmt.Sprintf("%016x", math.Float64bits(value))}, nil
}

func lint(page string) ([]string, error) {
	problems, err := promlint.New(strings.NewReader(page)).Lint()
	found := make([]string, 0, len(problems))
	for _, problem := range problems {
		found = append(found, problem.Metric+": "+problem.Text)
	}
	return found, err
}

// MetricsData has the same fields as ExportMetricsServiceRequest. Unknown fields are an error.
func points(request string) ([]string, error) {
	var data otlp.MetricsData
	if err := protojson.Unmarshal([]byte(request), &data); err != nil {
		return nil, err
	}
	var found []string
	for _, resource := range data.ResourceMetrics {
		for _, scope := range resource.ScopeMetrics {
			for _, metric := range scope.Metrics {
				if sum := metric.GetSum(); sum != nil {
					kind := fmt.Sprintf("sum %v monotonic=%v", sum.AggregationTemporality, sum.IsMonotonic)
					found = append(found, describe(metric, kind, sum.DataPoints)...)
				}
				if gauge := metric.GetGauge(); gauge != nil {
					found = append(found, describe(metric, "gauge", gauge.DataPoints)...)
				}
			}
		}
	}
	return found, nil
}

func describe(metric *otlp.Metric, kind string, points []*otlp.NumberDataPoint) []string {
	var found []string
	for _, point := range points {
		var attributes []string
		for _, pair := range point.Attributes {
			attributes = append(attributes, pair.Key+"="+pair.Value.GetStringValue())
		}
		var value string
		switch number := point.Value.(type) {
		case *otlp.NumberDataPoint_AsInt:
			value = fmt.Sprintf("int %d", number.AsInt)
		case *otlp.NumberDataPoint_AsDouble:
			value = fmt.Sprintf("double %g", number.AsDouble)
		}
		found = append(found, fmt.Sprintf("%s [%s] %s {%s} %s, %d to %d", metric.Name, metric.Unit, kind,
			strings.Join(attributes, ","), value, point.StartTimeUnixNano, point.TimeUnixNano))
	}
	return found
}

func translate(asked request) ([]string, []string) {
	metrics := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	names := make([]string, 0, len(asked.Metrics))
	for _, one := range asked.Metrics {
		kind := otlptranslator.MetricType(otlptranslator.MetricTypeNonMonotonicCounter)
		if one.Gauge {
			kind = otlptranslator.MetricTypeGauge
		}
		// An error is the answer that there is no such name; the name is empty then.
		name, _ := metrics.Build(otlptranslator.Metric{Name: one.Name, Unit: one.Unit, Type: kind})
		names = append(names, name)
	}
	attributes := otlptranslator.LabelNamer{}
	found := make([]string, 0, len(asked.Labels))
	for _, attribute := range asked.Labels {
		label, _ := attributes.Build(attribute)
		found = append(found, label)
	}
	return names, found
}
