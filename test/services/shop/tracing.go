package main

import (
	"context"
	"fmt"
	"net/http"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"example.com/shop/internal/traceparent"
)

// tracing is how the service knows which trace its work belongs to.
type tracing interface {
	// handler puts each request of a route into a span.
	handler(route string, next http.Handler) http.Handler
	// serverOptions put each gRPC call into a span.
	serverOptions() []grpc.ServerOption
	// inSpan does work in a child of the span of ctx, on the goroutine that works for that span.
	inSpan(ctx context.Context, name string, work func(context.Context))
	// inWorker is inSpan for a goroutine that works for one request now and for another one next.
	inWorker(ctx context.Context, name string, work func(context.Context))
	// start begins a child of the span of ctx that may be ended on any goroutine.
	start(ctx context.Context, name string) (spanned context.Context, end func())
	// current is the span of ctx.
	current(ctx context.Context) traceparent.SpanContext
	// shutdown delivers what has not been delivered yet.
	shutdown(ctx context.Context) error
}

func newTracing(ctx context.Context, mode string, sample float64) (tracing, error) {
	switch mode {
	case "sdk":
		return newSDKTracing(ctx, sample)
	case "labels":
		return labelTracing{sample: sample}, nil
	case "none":
		return noTracing{}, nil
	default:
		return nil, fmt.Errorf("-tracing is sdk, labels or none, not %q", mode)
	}
}

// noTracing: the service does nothing about traces. Only the truth remembers which span of its caller a request named.
type noTracing struct{}

type spanKey struct{}

func withSpan(ctx context.Context, span traceparent.SpanContext) context.Context {
	return context.WithValue(ctx, spanKey{}, span)
}

func spanOf(ctx context.Context) traceparent.SpanContext {
	span, _ := ctx.Value(spanKey{}).(traceparent.SpanContext)
	return span
}

func inboundHTTP(r *http.Request) traceparent.SpanContext {
	return traceparent.Parse(r.Header.Get(traceparent.Header))
}

func inboundGRPC(ctx context.Context) traceparent.SpanContext {
	if values := metadata.ValueFromIncomingContext(ctx, traceparent.Header); len(values) == 1 {
		return traceparent.Parse(values[0])
	}
	return traceparent.SpanContext{}
}

func (noTracing) handler(_ string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(withSpan(r.Context(), inboundHTTP(r))))
	})
}

func (noTracing) serverOptions() []grpc.ServerOption {
	return []grpc.ServerOption{grpc.UnaryInterceptor(func(
		ctx context.Context, request any, _ *grpc.UnaryServerInfo, answer grpc.UnaryHandler,
	) (any, error) {
		return answer(withSpan(ctx, inboundGRPC(ctx)), request)
	})}
}

func (noTracing) inSpan(ctx context.Context, _ string, work func(context.Context)) { work(ctx) }

func (noTracing) inWorker(ctx context.Context, _ string, work func(context.Context)) { work(ctx) }

func (noTracing) start(ctx context.Context, _ string) (context.Context, func()) {
	return ctx, func() {}
}

func (noTracing) current(ctx context.Context) traceparent.SpanContext { return spanOf(ctx) }

func (noTracing) shutdown(context.Context) error { return nil }
