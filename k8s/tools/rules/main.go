// Checks the alerts of a file of Prometheus rules as Prometheus itself would, and tries them.
//
//	rules FILE < cases.json > answers.json
//
// FILE has the groups of a PrometheusRule's spec. A case gives samples at an instant, a minute apart
// up to it, and asks which alerts would be pending or firing then:
//
//	[{"series": {"aeo_engine_failed": [0, 1]}}]    the newest value last
//
// The answer names for each alert its expression's metrics, its `for` in seconds and, for each case,
// the label sets for which the expression holds. Whatever Prometheus refuses ends it with code 1.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"sort"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

type testCase struct {
	Series map[string][]float64 `json:"series"`
}

type alert struct {
	Name    string                `json:"name"`
	Metrics []string              `json:"metrics"`
	For     float64               `json:"for"`
	Labels  map[string]string     `json:"labels"`
	Holds   [][]map[string]string `json:"holds"`
}

// sample is a float at a time in Unix milliseconds.
type sample struct {
	at    int64
	value float64
}

func (s sample) ST() int64                     { return 0 }
func (s sample) T() int64                      { return s.at }
func (s sample) F() float64                    { return s.value }
func (s sample) H() *histogram.Histogram       { return nil }
func (s sample) FH() *histogram.FloatHistogram { return nil }
func (s sample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s sample) Copy() chunks.Sample           { return s }

var now = time.Unix(1_800_000_000, 0)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 2 {
		return fmt.Errorf("usage: rules FILE < cases.json")
	}
	var cases []testCase
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		return fmt.Errorf("cases: %w", err)
	}
	read := parser.NewParser(parser.Options{})
	groups, faults := rulefmt.ParseFile(os.Args[1], false, model.LegacyValidation, read, slog.Default())
	if len(faults) > 0 {
		return fmt.Errorf("%s: %v", os.Args[1], faults)
	}
	engine := promql.NewEngine(promql.EngineOpts{
		MaxSamples:    100_000,
		Timeout:       10 * time.Second,
		LookbackDelta: 5 * time.Minute,
		Parser:        read,
	})
	answers := []alert{}
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			made, err := try(engine, read, rule, cases)
			if err != nil {
				return fmt.Errorf("%s: %w", rule.Alert, err)
			}
			answers = append(answers, made)
		}
	}
	return json.NewEncoder(os.Stdout).Encode(answers)
}

func try(engine *promql.Engine, read parser.Parser, rule rulefmt.Rule, cases []testCase) (alert, error) {
	expression, err := read.ParseExpr(rule.Expr)
	if err != nil {
		return alert{}, err
	}
	made := alert{
		Name:    rule.Alert,
		Metrics: metrics(expression),
		For:     time.Duration(rule.For).Seconds(),
		Labels:  rule.Labels,
		Holds:   [][]map[string]string{},
	}
	for _, each := range cases {
		from, err := source(read, each)
		if err != nil {
			return alert{}, err
		}
		query, err := engine.NewInstantQuery(context.Background(), from, nil, rule.Expr, now)
		if err != nil {
			return alert{}, err
		}
		result := query.Exec(context.Background())
		if result.Err != nil {
			return alert{}, result.Err
		}
		vector, err := result.Vector()
		if err != nil {
			return alert{}, err
		}
		holds := []map[string]string{}
		for _, one := range vector {
			holds = append(holds, one.Metric.Map())
		}
		query.Close()
		made.Holds = append(made.Holds, holds)
	}
	return made, nil
}

func metrics(expression parser.Expr) []string {
	found := map[string]bool{}
	parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			found[selector.Name] = true
		}
		return nil
	})
	names := []string{}
	for name := range found {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func source(read parser.Parser, given testCase) (storage.Queryable, error) {
	series := []*storage.SeriesEntry{}
	for text, values := range given.Series {
		named, err := read.ParseMetric(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", text, err)
		}
		samples := []chunks.Sample{}
		for i, value := range values {
			before := time.Duration(len(values)-1-i) * time.Minute
			samples = append(samples, sample{now.Add(-before).UnixMilli(), value})
		}
		series = append(series, storage.NewListSeries(named, samples))
	}
	sort.Slice(series, func(i, j int) bool {
		return labels.Compare(series[i].Labels(), series[j].Labels()) < 0
	})
	return &storage.MockQueryable{MockQuerier: &storage.MockQuerier{
		SelectMockFunction: func(_ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
			chosen := []storage.Series{}
			for _, each := range series {
				if matches(each.Labels(), matchers) {
					chosen = append(chosen, each)
				}
			}
			return &set{series: chosen}
		},
	}}, nil
}

func matches(of labels.Labels, matchers []*labels.Matcher) bool {
	for _, each := range matchers {
		if !each.Matches(of.Get(each.Name)) {
			return false
		}
	}
	return true
}

// set is a storage.SeriesSet over series that are all at hand.
type set struct {
	series []storage.Series
	at     int
}

func (s *set) Next() bool {
	s.at++
	return s.at <= len(s.series)
}
func (s *set) At() storage.Series                { return s.series[s.at-1] }
func (s *set) Err() error                        { return nil }
func (s *set) Warnings() annotations.Annotations { return nil }
