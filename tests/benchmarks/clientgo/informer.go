package main

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"
)

const (
	nodeIndex = "node"
	lookups   = 20_000
	idle      = 10 * time.Second
)

var podResource = schema.GroupVersionResource{Version: "v1", Resource: "pods"}

// First sync of a dynamic informer, its heap at rest, and what a lookup takes.
func informer(client dynamic.Interface, namespace string, count int) figures {
	before := heapBytes()
	shared := informerFor(client, namespace)
	check(shared.AddIndexers(cache.Indexers{nodeIndex: nodeOf}))
	stop := make(chan struct{})
	defer close(stop)
	result := timed(func() {
		go shared.Run(stop)
		for !shared.HasSynced() { // WaitForCacheSync looks every 100 ms
			time.Sleep(time.Millisecond)
		}
	})
	indexer := shared.GetIndexer()
	expect(len(indexer.ListKeys()), count)
	result["heap_bytes"] = heapBytes() - before
	result["key_seconds"] = each(func(number int) {
		_, found, err := indexer.GetByKey(fmt.Sprintf("%s/pod-%05d", namespace, number%count))
		check(err)
		expect(btoi(found), 1)
	}) - each(func(number int) { _ = fmt.Sprintf("%s/pod-%05d", namespace, number%count) })
	result["index_seconds"] = each(func(number int) {
		found, err := indexer.ByIndex(nodeIndex, "node-7")
		check(err)
		if len(found) == 0 {
			expect(0, 1)
		}
	})
	runtime.KeepAlive(indexer)
	return result
}

// Events to a handler, from a server that replays frames.
func informerEvents(client dynamic.Interface, namespace string, count int) figures {
	shared := informerFor(client, namespace)
	var seen, versions atomic.Int64
	done := make(chan struct{})
	look := func(obj any) {
		if obj.(*unstructured.Unstructured).GetResourceVersion() != "" {
			versions.Add(1)
		}
		if seen.Add(1) == int64(count) {
			close(done)
		}
	}
	_, err := shared.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    look,
		UpdateFunc: func(_, obj any) { look(obj) },
	})
	check(err)
	stop := make(chan struct{})
	defer close(stop)
	result := timed(func() {
		go shared.Run(stop)
		<-done
	})
	expect(int(versions.Load()), count)
	return result
}

// Informers with nothing to do: CPU in ten seconds, and goroutines.
func informerIdle(client dynamic.Interface, count int) figures {
	stop := make(chan struct{})
	defer close(stop)
	for number := range count {
		shared := dynamicinformer.NewFilteredDynamicInformer(client, podResource, metav1.NamespaceAll, 0, cache.Indexers{},
			func(options *metav1.ListOptions) { options.LabelSelector = fmt.Sprintf("idle=no-%d", number) }).Informer()
		go shared.Run(stop)
		cache.WaitForCacheSync(stop, shared.HasSynced)
	}
	before := cpuSeconds()
	time.Sleep(idle)
	return figures{"cpu_seconds": cpuSeconds() - before, "threads": runtime.NumGoroutine()}
}

func informerFor(client dynamic.Interface, namespace string) cache.SharedIndexInformer {
	return dynamicinformer.NewFilteredDynamicInformer(client, podResource, namespace, 0, cache.Indexers{}, nil).Informer()
}

func nodeOf(obj any) ([]string, error) {
	name, _, err := unstructured.NestedString(obj.(*unstructured.Unstructured).Object, "spec", "nodeName")
	return []string{name}, err
}

func each(work func(number int)) float64 {
	started := time.Now()
	for number := range lookups {
		work(number)
	}
	return time.Since(started).Seconds() / lookups
}

// Live bytes: two collections, so that finalizers of the first have run.
func heapBytes() int64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

func btoi(value bool) int {
	if value {
		return 1
	}
	return 0
}
