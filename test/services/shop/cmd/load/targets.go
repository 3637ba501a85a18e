package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"

	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"example.com/shop/internal/shoprpc"
)

// target is one endpoint over one protocol.
type target struct {
	name string
	call func(ctx context.Context) error
}

var paths = []string{"/catalog", "/cart", "/checkout", "/recommend", "/pool"}

// newTargets are all endpoints of the servers that are given, and what closes the connections to them.
func newTargets(set settings, propagation *propagation) (targets []target, closeAll func(), err error) {
	closeAll = func() {}
	if set.http != "" {
		for _, protocol := range []struct {
			name      string
			transport http.RoundTripper
		}{
			{"http/1.1", &http.Transport{MaxIdleConnsPerHost: set.concurrently}},
			{"h2c", &http2.Transport{AllowHTTP: true, DialTLSContext: dialPlain}},
		} {
			client := &http.Client{Transport: propagation.transport(protocol.transport)}
			for _, path := range paths {
				url := "http://" + set.http + path
				targets = append(targets, target{
					name: protocol.name + " " + path,
					call: func(ctx context.Context) error { return get(ctx, client, propagation, url) },
				})
			}
		}
	}
	if set.grpc != "" {
		options := append(propagation.dialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()))
		connection, err := grpc.NewClient(set.grpc, options...)
		if err != nil {
			return nil, nil, err
		}
		closeAll = func() { connection.Close() }
		targets = append(targets, target{"grpc Shop/Price", func(ctx context.Context) error {
			sku := fmt.Sprintf("sku-%06d", rand.IntN(20_000))
			_, err := shoprpc.Price(propagation.outgoing(ctx), connection, sku)
			return err
		}})
	}
	return targets, closeAll, nil
}

// dialPlain stands in for what would set TLS up.
func dialPlain(ctx context.Context, network, address string, _ *tls.Config) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, address)
}

func get(ctx context.Context, client *http.Client, propagation *propagation, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	propagation.inject(request)
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	return nil
}
