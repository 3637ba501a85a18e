// A service that calls itself: so many requests over HTTP/1, over unencrypted HTTP/2 and over gRPC, each
// with a traceparent and with a span of the SDK around it. It prints what an observer should have seen.
package main

import (
	"context"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/h2c"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
)

func main() {
	count := flag.Int("count", 0, "requests over each protocol")
	wait := flag.Bool("wait", false, "wait for a line on standard input first")
	flag.Parse()
	tracer := sdktrace.NewTracerProvider().Tracer("calls")
	web, calls := listen(), listen()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s\n", r.Proto, r.Header.Get("Traceparent"))
	})
	go http.Serve(web, h2c.NewHandler(handler, &http2.Server{}))
	server := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	go server.Serve(calls)
	connection, err := grpc.Dial(calls.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(err)
	checker := grpc_health_v1.NewHealthClient(connection)
	clients := []*http.Client{
		{},
		{Transport: &http2.Transport{AllowHTTP: true, DialTLS: func(network, address string, _ *tls.Config) (net.Conn, error) {
			return net.Dial(network, address)
		}}},
	}
	if *wait {
		fmt.Println("ready")
		fmt.Scanln()
	}
	for i := 0; i < *count; i++ {
		for _, client := range clients {
			in(tracer, func(ctx context.Context, parent string) {
				request, err := http.NewRequestWithContext(ctx, "GET", "http://"+web.Addr().String(), nil)
				must(err)
				request.Header.Set("Traceparent", parent)
				response, err := client.Do(request)
				must(err)
				text, err := io.ReadAll(response.Body)
				must(err)
				must(response.Body.Close())
				fmt.Print(string(text))
			})
		}
		in(tracer, func(ctx context.Context, parent string) {
			ctx = metadata.AppendToOutgoingContext(ctx, "traceparent", parent)
			_, err := checker.Check(ctx, &grpc_health_v1.HealthCheckRequest{})
			must(err)
			fmt.Println("gRPC", parent)
		})
	}
}

func in(tracer trace.Tracer, do func(ctx context.Context, parent string)) {
	ctx, span := tracer.Start(context.Background(), "request")
	defer span.End()
	of := span.SpanContext()
	do(ctx, fmt.Sprintf("00-%s-%s-%s", of.TraceID(), of.SpanID(), of.TraceFlags()))
}

func listen() net.Listener {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	return listener
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
