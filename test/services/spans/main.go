// Command spans looks keys up in all the places that spans and goroutines can be in towards one another. After each group of
// lookups it prints a line with the function that made them, the goroutine, and the ids of the span in which it was, or
// dashes. It begins when it gets a line on its standard input. With arguments it says so at its end, and executes them.
package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const (
	rounds  = 200
	lookups = 8
)

var (
	printing sync.Mutex
	out      = bufio.NewWriter(os.Stdout)
	sink     int
)

// said prints what is true of the lookups that a function has just made on this goroutine.
func said(function string, span trace.Span) {
	trace, id := "-", "-"
	if span != nil {
		trace, id = span.SpanContext().TraceID().String(), span.SpanContext().SpanID().String()
	}
	printing.Lock()
	defer printing.Unlock()
	fmt.Fprintln(out, function, goroutine(), trace, id)
}

// goroutine is the number that the runtime prints of the goroutine.
func goroutine() uint64 {
	var stack [64]byte
	text := stack[:runtime.Stack(stack[:], false)]
	number, _, _ := bytes.Cut(bytes.TrimPrefix(text, []byte("goroutine ")), []byte(" "))
	n, err := strconv.ParseUint(string(number), 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

// onNewGoroutine does work on a new goroutine and waits for it.
func onNewGoroutine(work func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		work()
	}()
	<-done
}

// recordOnly records spans and does not sample them.
type recordOnly struct{}

func (recordOnly) ShouldSample(sdktrace.SamplingParameters) sdktrace.SamplingResult {
	return sdktrace.SamplingResult{Decision: sdktrace.RecordOnly}
}

func (recordOnly) Description() string { return "record only" }

// What the main thread executes keeps the breakpoints of whoever observes the process, and Go's main function stays there
// only while it is locked to it.
func init() {
	if len(os.Args) > 1 {
		runtime.LockOSThread()
	}
}

func main() {
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.AlwaysSample())).Tracer("spans")
	unsampled := sdktrace.NewTracerProvider(sdktrace.WithSampler(recordOnly{})).Tracer("spans")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		fmt.Fprintln(os.Stderr, "spans:", err)
		os.Exit(1)
	}
	pool := newPool(tracer)
	for range [rounds]struct{}{} {
		onNewGoroutine(func() { nested(tracer) })
		onNewGoroutine(func() { descendants(tracer) })
		onNewGoroutine(func() { outliving(tracer) })
		onNewGoroutine(func() { endedElsewhere(tracer) })
		onNewGoroutine(func() { deep(tracer) })
		onNewGoroutine(func() { notSampled(unsampled) })
		onNewGoroutine(func() { pool.request(tracer) })
	}
	pool.stop()
	if len(os.Args) > 1 {
		fmt.Fprintln(out, "executes")
	}
	if err := out.Flush(); err != nil {
		fmt.Fprintln(os.Stderr, "spans:", err)
		os.Exit(1)
	}
	if len(os.Args) > 1 {
		err := syscall.Exec(os.Args[1], os.Args[1:], os.Environ())
		fmt.Fprintln(os.Stderr, "spans:", err)
		os.Exit(1)
	}
}

func start(tracer trace.Tracer, ctx context.Context, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	return tracer.Start(ctx, "span", options...)
}
