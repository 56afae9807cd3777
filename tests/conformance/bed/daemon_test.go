// Plays a case of tests/conformance/centralized-daemon on the real daemon of a node with centralized IPAM, from AllocIP and
// ReleaseIP inwards, under a virtual clock; the CR is written by the case. How to run it: README.md.
package daemon

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"google.golang.org/grpc"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	networkv1beta1 "github.com/AliyunContainerService/terway/pkg/apis/network.alibabacloud.com/v1beta1"
	"github.com/AliyunContainerService/terway/pkg/eni"
	"github.com/AliyunContainerService/terway/pkg/k8s"
	"github.com/AliyunContainerService/terway/pkg/storage"
	"github.com/AliyunContainerService/terway/pkg/utils"
	"github.com/AliyunContainerService/terway/rpc"
	"github.com/AliyunContainerService/terway/types"
	"github.com/AliyunContainerService/terway/types/daemon"
)

const node, namespace = "node0", "default"

// One thing that happens.
type step struct {
	T        int64    `json:"t_ms"`
	Op       string   `json:"op"`
	Pod      string   `json:"pod"`
	IP       string   `json:"ip"`
	Prefixes []string `json:"prefixes"`
	// It has an interface of its own.
	Own bool `json:"own"`
}

type golden struct {
	Prefix  bool   `json:"prefix"`
	Horizon int64  `json:"horizon_ms"`
	Events  []step `json:"events"`
}

// What came of it.
type entry struct {
	T    int64  `json:"t_ms"`
	What string `json:"what"`
	Pod  string `json:"pod"`
	IP   string `json:"ip,omitempty"`
}

// The world around the daemon: pod objects and API server.
type bed struct {
	k8s.Kubernetes
	golden   golden
	start    time.Time
	client   client.Client
	lock     sync.Mutex
	pods     map[string]bool
	own      map[string]bool
	handlers []toolscache.ResourceEventHandler
	// Who is told of interfaces of pods' own.
	watchers []toolscache.ResourceEventHandler
	cr       *networkv1beta1.Node
	reported map[string]bool
	log      []entry

	service *networkService
	kill    context.CancelFunc
	life    context.Context
	unheard []string
}

func (b *bed) say(what, pod, ip string) {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.log = append(b.log, entry{time.Since(b.start).Milliseconds(), what, pod, ip})
}

// Kubernetes, as far as the daemon asks.

func (b *bed) info(name string) *daemon.PodInfo {
	b.lock.Lock()
	defer b.lock.Unlock()
	return &daemon.PodInfo{
		Name: name, Namespace: namespace, PodUID: name, PodNetworkType: daemon.PodNetworkTypeENIMultiIP, PodENI: b.own[name],
	}
}

func (b *bed) exists(name string) bool {
	b.lock.Lock()
	defer b.lock.Unlock()
	return b.pods[name]
}

// The API server answers in a moment, less than the answers say, and in no order.
func (b *bed) GetPod(ctx context.Context, _, name string, _ bool) (*daemon.PodInfo, error) {
	time.Sleep(time.Duration(1+rand.IntN(100)) * time.Microsecond)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return b.info(name), nil
}

func (b *bed) GetLocalPods(context.Context) ([]*daemon.PodInfo, error) {
	var names []string
	b.lock.Lock()
	for name, exists := range b.pods {
		if exists {
			names = append(names, name)
		}
	}
	b.lock.Unlock()
	var pods []*daemon.PodInfo
	for _, name := range names {
		pods = append(pods, b.info(name))
	}
	return pods, nil
}

func (b *bed) PodExist(_ context.Context, _, name string) (bool, error) { return b.exists(name), nil }
func (b *bed) GetServiceCIDR() *types.IPNetSet                          { return &types.IPNetSet{} }
func (b *bed) GetClient() client.Client                                 { return b.client }
func (b *bed) NodeName() string                                         { return node }

// The manager of the daemon's caches: what is written is seen at once.

type manager struct {
	ctrl.Manager
	bed *bed
}

func (m manager) GetClient() client.Client   { return m.bed.client }
func (m manager) GetScheme() *runtime.Scheme { return types.Scheme }
func (m manager) GetCache() cache.Cache      { return caches{bed: m.bed} }

type caches struct {
	cache.Cache
	bed *bed
}

func (c caches) GetInformer(_ context.Context, object client.Object, _ ...cache.InformerGetOption) (cache.Informer, error) {
	return informer{bed: c.bed, of: object}, nil
}

type informer struct {
	cache.Informer
	bed *bed
	of  client.Object
}

func (i informer) AddEventHandler(handler toolscache.ResourceEventHandler) (toolscache.ResourceEventHandlerRegistration, error) {
	switch i.of.(type) {
	case *networkv1beta1.Node:
		i.bed.handlers = append(i.bed.handlers, handler)
	case *networkv1beta1.PodENI:
		i.bed.watchers = append(i.bed.watchers, handler)
	}
	return nil, nil
}

// The daemon.

func (b *bed) begin(ctx context.Context, records *storage.MemoryStorage) {
	b.life, b.kill = context.WithCancel(ctx)
	b.handlers, b.watchers = nil, nil
	shared := eni.NewBedManager(manager{bed: b})
	var interfaces []eni.NetworkInterface
	if b.golden.Prefix {
		interfaces = append(interfaces, eni.NewLocalDelegate(shared, node, true, false), eni.NewRemoteV2(shared, node))
	} else {
		interfaces = append(interfaces, eni.NewCRDV2(shared, node))
	}
	b.service = &networkService{
		daemonMode: daemon.ModeENIMultiIP, k8s: b, resourceDB: records, enableIPv4: true, ipamType: types.IPAMTypeCRD,
		eniMgr: eni.NewManager(nil, 0, interfaces, daemon.EniSelectionPolicyMostIPs, nil),
	}
	list, _ := records.List()
	if err := b.service.eniMgr.Run(b.life, &b.service.wg, getPodResources(list)); err != nil {
		panic(err)
	}
	go b.service.startGarbageCollectionLoop(b.life)
}

// A call as the server makes it: with the deadline of its interceptor.
func call[Q, A any](ctx context.Context, handler func(context.Context, *Q) (*A, error), request *Q) (*A, error) {
	answer, err := cniInterceptor(ctx, request, &grpc.UnaryServerInfo{}, func(ctx context.Context, request any) (any, error) {
		return handler(ctx, request.(*Q))
	})
	reply, _ := answer.(*A)
	return reply, err
}

func (b *bed) add(name string) {
	life, service := b.life, b.service
	reply, err := call(life, service.AllocIP,
		&rpc.AllocIPRequest{K8SPodName: name, K8SPodNamespace: namespace, K8SPodInfraContainerId: name})
	if err != nil {
		b.say("failed", name, "")
		return
	}
	if b.own[name] {
		b.say("allocated", name, "")
	} else {
		b.say("allocated", name, reply.NetConfs[0].BasicInfo.PodIP.IPv4)
	}
}

// A CNI DEL that nobody answers is made again by the next life of the daemon; with its answer the pod's object goes.
func (b *bed) del(name string) {
	life, service := b.life, b.service
	_, err := call(life, service.ReleaseIP,
		&rpc.ReleaseIPRequest{K8SPodName: name, K8SPodNamespace: namespace, K8SPodInfraContainerId: name})
	b.lock.Lock()
	defer b.lock.Unlock()
	if err != nil || life.Err() != nil {
		if life.Err() == nil {
			panic(err)
		}
		return
	}
	b.pods[name] = false
	b.unheard = slices.DeleteFunc(b.unheard, func(unheard string) bool { return unheard == name })
	if b.own[name] {
		b.log = append(b.log, entry{time.Since(b.start).Milliseconds(), "deleted", name, ""})
	} else if b.golden.Prefix {
		b.log = append(b.log, entry{time.Since(b.start).Milliseconds(), "released", "", ""})
	}
}

// The CR is written.
func (b *bed) edit(change func(*networkv1beta1.Nic)) {
	before := b.cr
	after := before.DeepCopy()
	nic := after.Status.NetworkInterfaces["eni-0"]
	if nic == nil {
		nic = &networkv1beta1.Nic{
			ID: "eni-0", Status: "InUse", MacAddress: "00:16:3e:00:00:01", VSwitchID: "vsw-a",
			IPv4CIDR: "10.0.0.0/16", IPv4: map[string]*networkv1beta1.IP{},
		}
		after.Status.NetworkInterfaces = map[string]*networkv1beta1.Nic{"eni-0": nic}
	}
	if nic.IPv4 == nil {
		nic.IPv4 = map[string]*networkv1beta1.IP{}
	}
	change(nic)
	b.lock.Lock()
	b.cr = after
	b.lock.Unlock()
	for _, handler := range b.handlers {
		handler.OnUpdate(before, after)
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func (b *bed) happens(ctx context.Context, step step) {
	switch step.Op {
	case "schedule":
		b.lock.Lock()
		b.pods[step.Pod] = true
		b.lock.Unlock()
	case "add":
		b.lock.Lock()
		b.own[step.Pod] = step.Own
		b.lock.Unlock()
		go b.add(step.Pod)
	case "bound":
		// The interface of a pod's own is.
		podENI := &networkv1beta1.PodENI{ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: step.Pod, Annotations: map[string]string{types.PodUID: step.Pod},
		}}
		podENI.Spec.Allocations = []networkv1beta1.Allocation{{
			ENI: networkv1beta1.ENI{ID: "eni-" + step.Pod, MAC: "00:16:3e:00:00:02"}, IPv4: "10.1.0.1", IPv4CIDR: "10.1.0.0/16",
		}}
		podENI.Status.Phase = networkv1beta1.ENIPhaseBind
		podENI.Status.ENIInfos = map[string]networkv1beta1.ENIInfo{"eni-" + step.Pod: {ID: "eni-" + step.Pod}}
		check(b.client.Create(ctx, podENI))
		for _, watcher := range b.watchers {
			watcher.OnAdd(podENI, false)
		}
	case "del":
		if _, err := b.service.resourceDB.Get(namespace + "/" + step.Pod); err != nil {
			// It has no sandbox.
			b.lock.Lock()
			b.pods[step.Pod] = false
			b.lock.Unlock()
			return
		}
		b.unheard = append(b.unheard, step.Pod)
		go b.del(step.Pod)
	case "gone":
		b.lock.Lock()
		b.pods[step.Pod] = false
		b.lock.Unlock()
	case "bind":
		b.edit(func(nic *networkv1beta1.Nic) {
			nic.IPv4[step.IP] = &networkv1beta1.IP{
				IP: step.IP, Status: networkv1beta1.IPStatusValid, PodID: namespace + "/" + step.Pod, PodUID: step.Pod,
			}
		})
	case "free":
		b.edit(func(nic *networkv1beta1.Nic) { delete(nic.IPv4, step.IP) })
	case "prefixes":
		b.edit(func(nic *networkv1beta1.Nic) {
			nic.IPv4Prefix = nil
			for _, prefix := range step.Prefixes {
				nic.IPv4Prefix = append(nic.IPv4Prefix,
					networkv1beta1.IPPrefix{Prefix: prefix + "/28", Status: networkv1beta1.IPPrefixStatusValid})
			}
		})
	case "kill":
		// What the dead process would still write goes to its own copy of the records.
		records := storage.NewMemoryStorage()
		list, _ := b.service.resourceDB.List()
		for _, record := range getPodResources(list) {
			check(records.Put(utils.PodInfoKey(record.PodInfo.Namespace, record.PodInfo.Name), record))
		}
		b.kill()
		b.handlers, b.watchers = nil, nil
		b.service = &networkService{resourceDB: records}
	case "restart":
		b.begin(ctx, b.service.resourceDB.(*storage.MemoryStorage))
		synctest.Wait()
		for _, name := range slices.Clone(b.unheard) {
			go b.del(name)
		}
	default:
		panic(step.Op)
	}
}

// The CR is read as from an informer's cache.
func (b *bed) read(ctx context.Context, under client.WithWatch, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
	if cr, ok := object.(*networkv1beta1.Node); ok {
		b.lock.Lock()
		defer b.lock.Unlock()
		b.cr.DeepCopyInto(cr)
		return nil
	}
	return under.Get(ctx, key, object, options...)
}

// A status is written; NodeRuntime may say of more pods that they are gone.
func (b *bed) written(ctx context.Context, under client.Client, sub string, object client.Object, patch client.Patch,
	options ...client.SubResourcePatchOption) error {
	err := under.SubResource(sub).Patch(ctx, object, patch, options...)
	if status, ok := object.(*networkv1beta1.NodeRuntime); ok && err == nil {
		for uid, pod := range status.Status.Pods {
			if pod.Status[networkv1beta1.CNIStatusDeleted] != nil && !b.reported[uid] {
				b.reported[uid] = true
				b.say("reported", uid, "")
			}
		}
	}
	return err
}

func TestPlay(t *testing.T) {
	text, err := os.ReadFile(os.Getenv("CASE"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Case golden `json:"case"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	logf.SetLogger(logr.Discard())
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		b := &bed{golden: file.Case, start: time.Now(), pods: map[string]bool{}, own: map[string]bool{}, reported: map[string]bool{}}
		b.cr = &networkv1beta1.Node{ObjectMeta: metav1.ObjectMeta{Name: node}}
		b.cr.Spec.ENISpec = &networkv1beta1.ENISpec{EnableIPv4: true}
		b.client = fake.NewClientBuilder().WithScheme(types.Scheme).
			WithStatusSubresource(&networkv1beta1.NodeRuntime{}).
			WithObjects(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: node}},
				&networkv1beta1.NodeRuntime{ObjectMeta: metav1.ObjectMeta{Name: node}}).
			WithInterceptorFuncs(interceptor.Funcs{Get: b.read, SubResourcePatch: b.written}).Build()
		b.begin(ctx, storage.NewMemoryStorage())
		synctest.Wait()
		for _, event := range append(b.golden.Events, step{T: b.golden.Horizon}) {
			time.Sleep(time.Until(b.start.Add(time.Duration(event.T) * time.Millisecond)))
			synctest.Wait()
			if event.Op != "" {
				b.happens(ctx, event)
				synctest.Wait()
			}
		}
		answer, err := json.Marshal(b.log)
		check(err)
		check(os.WriteFile(os.Getenv("OUT"), answer, 0o644))
		// Loops without an end are left.
		os.Exit(0)
	})
}

// serviceLock is what sync.RWMutex is, but for how it waits: on channels, since the virtual clock stands still while somebody
// waits for a mutex. Who waits to write keeps new readers out; those are let in when it has done.
type serviceLock struct {
	mutex   sync.Mutex
	readers int
	writing bool
	writers []chan struct{}
	waiting []chan struct{}
}

func (l *serviceLock) RLock() {
	l.mutex.Lock()
	if !l.writing && len(l.writers) == 0 {
		l.readers++
		l.mutex.Unlock()
		return
	}
	turn := make(chan struct{})
	l.waiting = append(l.waiting, turn)
	l.mutex.Unlock()
	<-turn
}

func (l *serviceLock) RUnlock() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.readers--
	l.letWrite()
}

func (l *serviceLock) Lock() {
	l.mutex.Lock()
	turn := make(chan struct{})
	l.writers = append(l.writers, turn)
	l.letWrite()
	l.mutex.Unlock()
	<-turn
}

func (l *serviceLock) Unlock() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.writing = false
	for _, turn := range l.waiting {
		l.readers++
		close(turn)
	}
	l.waiting = nil
	l.letWrite()
}

func (l *serviceLock) letWrite() {
	if l.readers == 0 && !l.writing && len(l.writers) > 0 {
		l.writing = true
		close(l.writers[0])
		l.writers = l.writers[1:]
	}
}
