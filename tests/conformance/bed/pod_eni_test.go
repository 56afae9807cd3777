// Plays a case of tests/conformance/pod-eni on the real controllers of pods with interfaces of their own (`pod`, `pod-eni` and `eni`),
// under a virtual clock, against stubs of the cloud and of the API server. How to run it: README.md.
package bed

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	ecsv2 "github.com/alibabacloud-go/ecs-20140526/v7/client"
	eflo2 "github.com/alibabacloud-go/eflo-20220530/v2/client"
	eflocontroller "github.com/alibabacloud-go/eflo-controller-20221215/v2/client"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ecs"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/eflo"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/vpc"
	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	k8sErr "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	k8stypes "k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/config"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	runnable "sigs.k8s.io/controller-runtime/pkg/manager"

	aliyunClient "github.com/AliyunContainerService/terway/pkg/aliyun/client"
	networkv1beta1 "github.com/AliyunContainerService/terway/pkg/apis/network.alibabacloud.com/v1beta1"
	register "github.com/AliyunContainerService/terway/pkg/controller"
	_ "github.com/AliyunContainerService/terway/pkg/controller/eni"
	_ "github.com/AliyunContainerService/terway/pkg/controller/pod"
	_ "github.com/AliyunContainerService/terway/pkg/controller/pod-eni"
	"github.com/AliyunContainerService/terway/pkg/controller/status"
	"github.com/AliyunContainerService/terway/pkg/vswitch"
	"github.com/AliyunContainerService/terway/types"
	"github.com/AliyunContainerService/terway/types/controlplane"
)

type golden struct {
	Free    map[string]int `json:"free"`
	Member  bool           `json:"member"`
	Slots   int            `json:"slots"`
	Workers int            `json:"workers"`
	// Addresses are fixed, for so long after the pod was last seen; 0 = they are elastic.
	Fixed  int64 `json:"release_after_s"`
	Faults []struct {
		API      string `json:"api"`
		Code     string `json:"code"`
		From, To int64
	} `json:"faults"`
	Events []struct {
		T       int64  `json:"t_ms"`
		Op      string `json:"op"`
		Pod     string `json:"pod"`
		VSwitch string `json:"vswitch"`
		Delta   int    `json:"delta"`
	} `json:"events"`
	Horizon int64 `json:"horizon_ms"`
}

// What came of it: a call left, a pod's interface is bound, an address came back.
type entry struct {
	T    int64  `json:"t_ms"`
	What string `json:"what"`
	Of   string `json:"of"`
}

type nic struct {
	id, vsw, instance, trunk string
	state, becomes           string
	at, created              time.Time
}

func (n *nic) status() string {
	if n.becomes != "" && !time.Now().Before(n.at) {
		n.state, n.becomes = n.becomes, ""
	}
	return n.state
}

type stage struct {
	sync.Mutex
	golden
	start time.Time
	nics  map[string]*nic
	next  int
	uids  int
	log   []entry
	store client.WithWatch
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func (s *stage) now() int64 { return time.Since(s.start).Milliseconds() }

func (s *stage) say(what, of string) {
	s.log = append(s.log, entry{s.now(), what, of})
}

// The cloud

var latency = map[string]time.Duration{
	"CreateNetworkInterface": 600, "AttachNetworkInterface": 800, "DetachNetworkInterface": 700, "DeleteNetworkInterface": 500,
	"DescribeNetworkInterfaces": 100, "DescribeVSwitches": 80,
}

const settles = 1500 * time.Millisecond

func (s *stage) RoundTrip(r *http.Request) (*http.Response, error) {
	form := r.URL.Query()
	if r.Body != nil {
		body, _ := io.ReadAll(r.Body)
		more, _ := url.ParseQuery(string(body))
		for k, v := range more {
			form[k] = v
		}
	}
	api := form.Get("Action")
	if _, known := latency[api]; !known {
		panic("no stub of " + api)
	}
	s.Lock()
	s.say("call", api)
	s.Unlock()
	time.Sleep(latency[api] * time.Millisecond)
	s.Lock()
	defer s.Unlock()
	answer, code := map[string]any(nil), ""
	for _, fault := range s.Faults {
		if code == "" && fault.API == api && fault.From <= s.now() && s.now() < fault.To {
			code = fault.Code
		}
	}
	if code == "" {
		answer, code = s.execute(api, form)
	}
	status := 200
	if code != "" {
		status, answer = 403, map[string]any{"Code": code, "Message": "no"}
	}
	answer["RequestId"] = "r"
	out, err := json.Marshal(answer)
	check(err)
	return &http.Response{StatusCode: status, Proto: "HTTP/1.1", Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(out)), Request: r}, nil
}

func (s *stage) show(n *nic) map[string]any {
	kind := "Secondary"
	if n.trunk != "" {
		kind = "Member"
	}
	tag := func(key, value string) any { return map[string]any{"TagKey": key, "TagValue": value} }
	return map[string]any{
		"NetworkInterfaceId": n.id, "Status": n.status(), "Type": kind, "MacAddress": n.id, "VSwitchId": n.vsw, "PrivateIpAddress": "10.0.0.1",
		"InstanceId": n.instance, "CreationTime": n.created.UTC().Format("2006-01-02T15:04:05Z"),
		"Tags":       map[string]any{"Tag": []any{tag(types.TagKeyClusterID, "c"), tag(types.NetworkInterfaceTagCreatorKey, types.TagTerwayController)}},
		"Attachment": map[string]any{"TrunkNetworkInterfaceId": n.trunk},
	}
}

// Carries out a call that ends now, or says the code of the error.
func (s *stage) execute(api string, form url.Values) (map[string]any, string) {
	it := s.nics[form.Get("NetworkInterfaceId")]
	if it == nil && form.Has("NetworkInterfaceId") {
		return nil, "InvalidEniId.NotFound"
	}
	switch api {
	case "DescribeVSwitches":
		id := form.Get("VSwitchId")
		one := map[string]any{"VSwitchId": id, "ZoneId": "z", "AvailableIpAddressCount": s.Free[id], "CidrBlock": "10.0.0.0/8"}
		return map[string]any{"VSwitches": map[string]any{"VSwitch": []any{one}}}, ""
	case "CreateNetworkInterface":
		vsw := form.Get("VSwitchId")
		if s.Free[vsw] < 1 {
			return nil, "InvalidVSwitchId.IpNotEnough"
		}
		s.Free[vsw]--
		s.next++
		it = &nic{id: fmt.Sprintf("eni-%06d", s.next), vsw: vsw, state: "Available", created: time.Now()}
		s.nics[it.id] = it
		return s.show(it), ""
	case "DescribeNetworkInterfaces":
		out := []any{}
		for _, it := range s.nics {
			shown := s.show(it)
			if id := form.Get("NetworkInterfaceId.1"); id != "" && id != it.id {
				continue
			}
			if kind := form.Get("Type"); kind != "" && kind != shown["Type"] {
				continue
			}
			if status := form.Get("Status"); status != "" && status != shown["Status"] {
				continue
			}
			out = append(out, shown)
		}
		return map[string]any{"NetworkInterfaceSets": map[string]any{"NetworkInterfaceSet": out}}, ""
	case "AttachNetworkInterface":
		if it.status() != "Available" {
			return nil, "InvalidOperation.InvalidEniState"
		}
		trunk, taken := form.Get("TrunkNetworkInstanceId"), 0
		for _, other := range s.nics {
			if other.instance != "" && other.trunk == "" {
				taken++
			}
		}
		if trunk == "" && taken >= s.Slots {
			return nil, "EniPerInstanceLimitExceeded"
		}
		it.instance, it.trunk = form.Get("InstanceId"), trunk
		it.state, it.becomes, it.at = "Attaching", "InUse", time.Now().Add(settles)
	case "DetachNetworkInterface":
		if it.status() == "InUse" || it.status() == "Attaching" {
			it.instance, it.trunk = "", ""
			it.state, it.becomes, it.at = "Detaching", "Available", time.Now().Add(settles)
		}
	case "DeleteNetworkInterface":
		if it.status() != "Available" {
			return nil, "InvalidOperation.InvalidEniState"
		}
		s.Free[it.vsw]++
		s.say("free", it.vsw)
		delete(s.nics, it.id)
	}
	return map[string]any{}, ""
}

type clients struct {
	ecs *ecs.Client
	vpc *vpc.Client
}

func (c clients) ECS() *ecs.Client                     { return c.ecs }
func (c clients) VPC() *vpc.Client                     { return c.vpc }
func (clients) ECSV2() *ecsv2.Client                   { return nil }
func (clients) EFLO() *eflo.Client                     { return nil }
func (clients) EFLOV2() *eflo2.Client                  { return nil }
func (clients) EFLOController() *eflocontroller.Client { return nil }
func (clients) RegionID() string                       { return "r" }

func (s *stage) clients() (c clients) {
	var err error
	c.ecs, err = ecs.NewClientWithAccessKey("r", "k", "s")
	check(err)
	c.vpc, err = vpc.NewClientWithAccessKey("r", "k", "s")
	check(err)
	c.ecs.Domain, c.vpc.Domain = "ecs.stub", "vpc.stub"
	c.ecs.SetTransport(s)
	c.vpc.SetTransport(s)
	c.ecs.SetReadTimeout(time.Hour)
	c.vpc.SetReadTimeout(time.Hour)
	return c
}

// The manager of the controllers: real informers on the fake client.

type silent struct{}

func (silent) Eventf(runtime.Object, runtime.Object, string, string, string, string, ...interface{}) {
}

type manager struct {
	ctrl.Manager
	stage  *stage
	caches *caches
	client client.Client
	start  []runnable.Runnable
}

func (m *manager) GetClient() client.Client                     { return m.client }
func (m *manager) GetScheme() *runtime.Scheme                   { return types.Scheme }
func (m *manager) GetCache() cache.Cache                        { return m.caches }
func (m *manager) GetLogger() logr.Logger                       { return logr.Discard() }
func (m *manager) GetControllerOptions() config.Controller      { return config.Controller{} }
func (m *manager) GetEventRecorder(string) events.EventRecorder { return silent{} }
func (m *manager) Add(r runnable.Runnable) error {
	m.start = append(m.start, r)
	return nil
}

type caches struct {
	sync.Mutex
	cache.Cache
	stage     *stage
	informers map[reflect.Type]toolscache.SharedIndexInformer
}

func (c *caches) GetInformer(ctx context.Context, object client.Object, _ ...cache.InformerGetOption) (cache.Informer, error) {
	c.Lock()
	defer c.Unlock()
	kind := reflect.TypeOf(object)
	if known := c.informers[kind]; known != nil {
		return known, nil
	}
	list := func() client.ObjectList {
		switch object.(type) {
		case *corev1.Pod:
			return &corev1.PodList{}
		case *networkv1beta1.PodENI:
			return &networkv1beta1.PodENIList{}
		case *networkv1beta1.NetworkInterface:
			return &networkv1beta1.NetworkInterfaceList{}
		}
		panic(kind)
	}
	informer := toolscache.NewSharedIndexInformer(&toolscache.ListWatch{
		ListFunc: func(metav1.ListOptions) (runtime.Object, error) {
			out := list()
			return out, c.stage.store.List(context.Background(), out)
		},
		WatchFunc: func(metav1.ListOptions) (watch.Interface, error) {
			return c.stage.store.Watch(context.Background(), list())
		},
	}, object, 0, toolscache.Indexers{})
	c.informers[kind] = informer
	go informer.Run(context.Background().Done())
	return informer, nil
}

// What is written shows a moment later, less than the answers say: who looks at once does not see it.
func late(events watch.Interface) watch.Interface {
	out := make(chan watch.Event)
	go func() {
		for event := range events.ResultChan() {
			time.Sleep(time.Microsecond)
			out <- event
		}
	}()
	return watch.NewProxyWatcher(out)
}

// Controllers read from their caches.
func (c *caches) read(ctx context.Context, under client.WithWatch, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
	c.Lock()
	informer := c.informers[reflect.TypeOf(object)]
	c.Unlock()
	if informer == nil {
		return under.Get(ctx, key, object, options...)
	}
	name := strings.TrimPrefix(key.String(), "/")
	found, exists, err := informer.GetIndexer().GetByKey(name)
	check(err)
	if !exists {
		return k8sErr.NewNotFound(schema.GroupResource{}, name)
	}
	copied := reflect.ValueOf(found.(client.Object).DeepCopyObject())
	reflect.ValueOf(object).Elem().Set(copied.Elem())
	return nil
}

func (c *caches) WaitForCacheSync(context.Context) bool {
	c.Lock()
	informers := slices.Collect(maps.Values(c.informers))
	c.Unlock()
	for _, informer := range informers {
		for !informer.HasSynced() {
			time.Sleep(time.Millisecond)
		}
	}
	return true
}

func (s *stage) launch() {
	controlplane.SetConfig(&controlplane.Config{ClusterID: "c", VPCID: "v"})
	pool, err := vswitch.NewSwitchPool(100, "20m")
	check(err)
	ctx := context.Background()
	setup := &register.ControllerCtx{
		Context: ctx, VSwitchPool: pool, AliyunClient: aliyunClient.NewAPIFacade(s.clients(), nil),
		NodeStatusCache: status.NewCache[status.NodeStatus](),
		Config: &controlplane.Config{
			EnableTrunk: ptr.To(s.Member), PodMaxConcurrent: s.Workers, PodENIMaxConcurrent: s.Workers,
		},
	}
	setup.Config.ENIMaxConcurrent = 300
	caches := &caches{stage: s, informers: map[reflect.Type]toolscache.SharedIndexInformer{}}
	m := &manager{stage: s, caches: caches, client: interceptor.NewClient(s.store, interceptor.Funcs{Get: caches.read})}
	for _, name := range []string{"pod", "pod-eni", "eni"} {
		check(register.Controllers[name].Creator(m, setup))
	}
	for _, r := range m.start {
		go func() { check(r.Start(ctx)) }()
	}
}

// The script

func (s *stage) pod(name string) {
	s.uids++
	annotations := map[string]string{types.PodENI: "true", types.PodNetworking: "net"}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: name, UID: k8stypes.UID(fmt.Sprint(s.uids)), Annotations: annotations},
		Spec:       corev1.PodSpec{NodeName: "node0"},
	}
	if s.Fixed > 0 {
		pod.OwnerReferences = []metav1.OwnerReference{{Kind: "StatefulSet", Name: "set", APIVersion: "apps/v1"}}
	}
	check(s.store.Create(context.Background(), pod))
}

func (s *stage) objects() []client.Object {
	labels := map[string]string{corev1.LabelTopologyRegion: "r", corev1.LabelInstanceTypeStable: "t", corev1.LabelTopologyZone: "z"}
	annotations := map[string]string{}
	if s.Member {
		annotations[types.TrunkOn] = "eni-trunk"
	} else {
		labels[types.ExclusiveENIModeLabel] = string(types.ExclusiveENIOnly)
	}
	kind := networkv1beta1.AllocationType{Type: networkv1beta1.IPAllocTypeElastic}
	if s.Fixed > 0 {
		kind = networkv1beta1.AllocationType{
			Type: networkv1beta1.IPAllocTypeFixed, ReleaseStrategy: networkv1beta1.ReleaseStrategyTTL, ReleaseAfter: fmt.Sprint(s.Fixed, "s"),
		}
	}
	var options []string
	for i := range len(s.Free) {
		options = append(options, fmt.Sprintf("vsw-%c", 'a'+i))
	}
	return []client.Object{
		&corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: "node0", Labels: labels, Annotations: annotations},
			Spec:       corev1.NodeSpec{ProviderID: "r.i-0"},
		},
		&networkv1beta1.PodNetworking{
			ObjectMeta: metav1.ObjectMeta{Name: "net"},
			Spec:       networkv1beta1.PodNetworkingSpec{AllocationType: kind, VSwitchOptions: options, SecurityGroupIDs: []string{"sg"}},
		},
	}
}

// A status is written; a PodENI may be bound.
func (s *stage) written(ctx context.Context, under client.Client, sub string, object client.Object, options ...client.SubResourceUpdateOption) error {
	err := under.SubResource(sub).Update(ctx, object, options...)
	if podENI, ok := object.(*networkv1beta1.PodENI); ok && err == nil && podENI.Status.Phase == networkv1beta1.ENIPhaseBind {
		s.Lock()
		defer s.Unlock()
		s.say("bound", podENI.Name)
	}
	return err
}

func TestPlay(t *testing.T) {
	// The fake client sends no bookmarks.
	t.Setenv("KUBE_FEATURE_WatchListClient", "false")
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
		s := &stage{golden: file.Case, start: time.Now(), nics: map[string]*nic{}}
		s.store = fake.NewClientBuilder().WithScheme(types.Scheme).WithObjects(s.objects()...).
			WithStatusSubresource(&networkv1beta1.PodENI{}, &networkv1beta1.NetworkInterface{}, &corev1.Pod{}).
			WithInterceptorFuncs(interceptor.Funcs{SubResourceUpdate: s.written}).Build()
		s.launch()
		for _, event := range s.Events {
			time.Sleep(time.Until(s.start.Add(time.Duration(event.T) * time.Millisecond)))
			switch event.Op {
			case "pod":
				s.pod(event.Pod)
			case "gone":
				check(s.store.Delete(context.Background(), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: event.Pod}}))
			case "tenant":
				s.Lock()
				s.Free[event.VSwitch] += event.Delta
				s.Unlock()
			default:
				panic(event.Op)
			}
		}
		time.Sleep(time.Until(s.start.Add(time.Duration(s.Horizon) * time.Millisecond)))
		s.Lock()
		answer, err := json.Marshal(s.log)
		check(err)
		check(os.WriteFile(os.Getenv("OUT"), answer, 0o644))
		// Loops without an end are left.
		os.Exit(0)
	})
}
