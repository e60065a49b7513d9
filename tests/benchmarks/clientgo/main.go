// The cases of worker.py with client-go's dynamic client; prints the same JSON.
//
//	clientgo CASE KUBECONFIG NAMESPACE COUNT
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	pageSize = 500
	warmUp   = 20
)

type figures map[string]any

var requests atomic.Int64

type counter struct{ next http.RoundTripper }

func (c counter) RoundTrip(request *http.Request) (*http.Response, error) {
	requests.Add(1)
	return c.next.RoundTrip(request)
}

func main() {
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[2])
	check(err)
	config.QPS = -1 // its own brake would be what is measured
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return counter{next} })
	config.DisableCompression = os.Args[1] == "informer-plain"
	count, err := strconv.Atoi(os.Args[4])
	check(err)
	client, err := dynamic.NewForConfig(config)
	check(err)
	pods := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "pods"}).Namespace(os.Args[3])

	cases := map[string]func() figures{
		"list":      func() figures { return list(pods, count) },
		"iterate":   func() figures { return iterate(pods, count) },
		"get":       func() figures { return get(pods, count) },
		"watch":     func() figures { return watch(pods, count) },
		"discovery": func() figures { return discover(config) },

		"informer":        func() figures { return informer(client, os.Args[3], count) },
		"informer-plain":  func() figures { return informer(client, os.Args[3], count) },
		"informer-events": func() figures { return informerEvents(client, os.Args[3], count) },
		"informer-idle":   func() figures { return informerIdle(client, count) },
	}
	if os.Args[1] == "list" || os.Args[1] == "iterate" {
		_, err := pods.Get(context.Background(), "pod-00000", metav1.GetOptions{})
		check(err)
	}
	check(json.NewEncoder(os.Stdout).Encode(cases[os.Args[1]]()))
}

func list(pods dynamic.ResourceInterface, count int) figures {
	var found *unstructured.UnstructuredList
	result := timed(func() {
		var err error
		found, err = pods.List(context.Background(), metav1.ListOptions{})
		check(err)
	})
	expect(len(found.Items), count)
	return result
}

func iterate(pods dynamic.ResourceInterface, count int) figures {
	seen := 0
	result := timed(func() {
		token := ""
		for seen < count {
			page, err := pods.List(context.Background(), metav1.ListOptions{Limit: pageSize, Continue: token})
			check(err)
			seen += len(page.Items)
			token = page.GetContinue()
		}
	})
	expect(seen, count)
	return result
}

func get(pods dynamic.ResourceInterface, count int) figures {
	var taken []float64
	for number := range count + warmUp {
		started := time.Now()
		_, err := pods.Get(context.Background(), fmt.Sprintf("pod-%05d", number%100), metav1.GetOptions{})
		check(err)
		if number >= warmUp {
			taken = append(taken, time.Since(started).Seconds())
		}
	}
	sort.Float64s(taken)
	return figures{"seconds": taken[len(taken)/2]}
}

func watch(pods dynamic.ResourceInterface, count int) figures {
	versions := 0
	result := timed(func() {
		watcher, err := pods.Watch(context.Background(), metav1.ListOptions{ResourceVersion: "1"})
		check(err)
		defer watcher.Stop()
		for range count {
			event := <-watcher.ResultChan()
			if event.Object.(*unstructured.Unstructured).GetResourceVersion() != "" {
				versions++
			}
		}
	})
	expect(versions, count)
	return result
}

func discover(config *rest.Config) figures {
	client, err := discovery.NewDiscoveryClientForConfig(config)
	check(err)
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client))
	result := figures{}
	for _, each := range [][2]string{{"cold", "deployments"}, {"warm", "cronjobs"}} {
		before, started := requests.Load(), time.Now()
		_, err := mapper.ResourceFor(schema.GroupVersionResource{Resource: each[1]})
		check(err)
		result[each[0]+"_seconds"] = time.Since(started).Seconds()
		result[each[0]+"_requests"] = requests.Load() - before
	}
	return result
}

func timed(work func()) figures {
	wall, cpu := time.Now(), cpuSeconds()
	work()
	return figures{
		"seconds":     time.Since(wall).Seconds(),
		"cpu_seconds": cpuSeconds() - cpu,
		"peak_bytes":  peakBytes(),
	}
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}

// The same figure as measure.py's peak_bytes.
func peakBytes() int64 {
	status, err := os.ReadFile("/proc/self/status")
	check(err)
	for line := range strings.Lines(string(status)) {
		if rest, found := strings.CutPrefix(line, "VmHWM:"); found {
			kilobytes, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			check(err)
			return kilobytes * 1024
		}
	}
	return 0
}

func expect(got, want int) {
	if got != want {
		check(fmt.Errorf("%d objects, want %d", got, want))
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
