package main

import (
	"bytes"
	"context"
	"regexp"
	"runtime/pprof"
	"sync"
	"testing"

	"example.com/shop/internal/traceparent"
)

// labelsSeen are the labels of each goroutine that has any, as a goroutine profile prints them.
func labelsSeen(t *testing.T) (seen []string) {
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		t.Fatal(err)
	}
	for _, match := range regexp.MustCompile(`# labels: (\{.*\})`).FindAllSubmatch(profile.Bytes(), -1) {
		seen = append(seen, string(match[1]))
	}
	return seen
}

func expectLabels(t *testing.T, span traceparent.SpanContext) {
	t.Helper()
	want := `{"span_id":"` + span.SpanID + `", "trace_id":"` + span.TraceID + `"}`
	if seen := labelsSeen(t); len(seen) != 1 || seen[0] != want {
		t.Errorf("labels are %q, not %s", seen, want)
	}
}

func expectNoLabels(t *testing.T) {
	t.Helper()
	if seen := labelsSeen(t); len(seen) != 0 {
		t.Errorf("labels are %q", seen)
	}
}

func TestLabelsFollowSpans(t *testing.T) {
	tracing := labelTracing{}
	request := traceparent.New(true)
	var held context.Context
	labelled(context.Background(), request, func(ctx context.Context) {
		held = ctx
		expectLabels(t, request)
		tracing.inSpan(ctx, "child", func(ctx context.Context) {
			child := tracing.current(ctx)
			if child.TraceID != request.TraceID || child.SpanID == request.SpanID {
				t.Errorf("%s is no child of %s", child, request)
			}
			expectLabels(t, child)
		})
		expectLabels(t, request)
	})
	expectNoLabels(t)

	var worker sync.WaitGroup
	worker.Add(1)
	go func() {
		defer worker.Done()
		tracing.inWorker(held, "work", func(ctx context.Context) { expectLabels(t, tracing.current(ctx)) })
		expectNoLabels(t)
	}()
	worker.Wait()
}
