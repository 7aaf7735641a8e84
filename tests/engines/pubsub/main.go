// Serve Google's own fake of Pub/Sub until standard input ends.
//
// It prints two addresses: the service's, and one at which tests see what became of each message (GET /messages),
// bring a message past gRPC's limit of size (POST /publish?topic=…) and have calls fail for a while
// (POST /fail?call=Publish&code=7&key=…&times=2&after=1).
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// fault fails one kind of call, `times` times once `after` of them went well; with a key, only messages of that key.
type fault struct {
	sync.Mutex
	code         codes.Code
	key          string
	times, after int
}

func (f *fault) React(request any) (bool, any, error) {
	f.Lock()
	defer f.Unlock()
	if publish, ok := request.(*pubsubpb.PublishRequest); ok && f.key != "" {
		if len(publish.Messages) == 0 || publish.Messages[0].OrderingKey != f.key {
			return false, nil, nil
		}
	}
	if f.times == 0 {
		return false, nil, nil
	}
	if f.after > 0 {
		f.after--
		return false, nil, nil
	}
	f.times--
	return true, nil, status.Error(f.code, "refused by the test")
}

func main() {
	faults := map[string]*fault{"Publish": {}, "Pull": {}, "Acknowledge": {}}
	var options []pstest.ServerReactorOption
	for call, reactor := range faults {
		options = append(options, pstest.ServerReactorOption{FuncName: call, Reactor: reactor})
	}
	server := pstest.NewServer(options...)
	defer server.Close()

	http.HandleFunc("GET /messages", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(server.Messages())
	})
	http.HandleFunc("POST /publish", func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		fmt.Fprint(w, server.Publish(r.FormValue("topic"), data, nil))
	})
	http.HandleFunc("POST /fail", func(_ http.ResponseWriter, r *http.Request) {
		number := func(name string) int { n, _ := strconv.Atoi(r.FormValue(name)); return n }
		f := faults[r.FormValue("call")]
		f.Lock()
		defer f.Unlock()
		f.code, f.key = codes.Code(number("code")), r.FormValue("key")
		f.times, f.after = number("times"), number("after")
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go http.Serve(listener, nil)
	fmt.Println(server.Addr, listener.Addr())
	io.Copy(io.Discard, os.Stdin)
}
