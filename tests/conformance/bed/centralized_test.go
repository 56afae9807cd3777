// Plays a case of tests/conformance/centralized* on the real controller `multi-ip-node` of Terway, under a virtual clock,
// against stubs of the cloud and of the API server. How to run it: README.md.
package node

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"sort"
	"strconv"
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
	"github.com/spf13/viper"
	"go.opentelemetry.io/otel/trace/noop"
	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	k8sErr "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	k8stypes "k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/AliyunContainerService/terway/deviceplugin"
	aliyunClient "github.com/AliyunContainerService/terway/pkg/aliyun/client"
	networkv1beta1 "github.com/AliyunContainerService/terway/pkg/apis/network.alibabacloud.com/v1beta1"
	"github.com/AliyunContainerService/terway/pkg/eni/ops"
	"github.com/AliyunContainerService/terway/pkg/vswitch"
	"github.com/AliyunContainerService/terway/types"
)

type script struct {
	T       int64  `json:"t_ms"`
	Op      string `json:"op"`
	Node    int    `json:"node"`
	Pod     string `json:"pod"`
	ERDMA   bool   `json:"erdma"`
	VSwitch string `json:"vswitch"`
	Delta   int    `json:"delta"`
}

type golden struct {
	Nodes       int    `json:"nodes"`
	Stagger     int64  `json:"node_stagger_ms"`
	Adapters    int    `json:"adapters"`
	IPs         int    `json:"ips_per_eni"`
	Max         int    `json:"max_pool_size"`
	Min         int    `json:"min_pool_size"`
	WarmUp      int    `json:"warm_up_size"`
	Sync        int64  `json:"ip_pool_sync_period_s"`
	TTL         int64  `json:"vswitch_cache_ttl_s"`
	Trunk       bool   `json:"trunk"`
	ERDMA       bool   `json:"erdma"`
	Dual        bool   `json:"dual"`
	Prefixes    int    `json:"ipv4_prefix_count"`
	Degradation string `json:"degradation"`
	After       int64  `json:"idle_ip_reclaim_after_s"`
	Interval    int64  `json:"idle_ip_reclaim_interval_s"`
	Batch       int    `json:"idle_ip_reclaim_batch_size"`
	VSwitches   []struct {
		ID        string `json:"id"`
		Zone      string `json:"zone"`
		Available int    `json:"available"`
		Prefixes  int    `json:"prefixes"`
	} `json:"vswitches"`
	Latency map[string]int64 `json:"latency_ms"`
	Report  int64            `json:"runtime_report_ms"`
	Workers int              `json:"workers"`
	QPS     float64          `json:"cr_write_qps"`
	Burst   float64          `json:"cr_write_burst"`
	Faults  []struct {
		API  string `json:"api"`
		Code string `json:"code"`
		From int64  `json:"from_ms"`
		To   int64  `json:"to_ms"`
	} `json:"faults"`
	Events []script `json:"events"`
	Until  int64    `json:"until_ms"`
	Sample int64    `json:"sample_ms"`
}

type story struct {
	Pod       string `json:"pod"`
	Node      int    `json:"node"`
	Requested int64  `json:"requested_ms"`
	Deleted   int64  `json:"deleted_ms"`
	Bound     int64  `json:"bound_ms"`
	Released  int64  `json:"released_ms"`
	key       client.ObjectKey
}

// What became of everything: the cloud, the stored objects, the processes of the controller.
type stage struct {
	sync.Mutex
	*golden
	start time.Time

	free, freePrefixes map[string]int
	nics               map[string]*nic
	next               uint32
	calls, errors      map[string]int

	store     client.WithWatch
	pods      []*story
	writes    []int
	runs      []int
	effective []bool
	life      int
	process   *process
}

type nic struct {
	id, vsw, kind, mode string
	node                int
	v4, v6, p4, p6      []string
	state, becomes      string
	at                  time.Time
}

func (n *nic) status() string {
	if n.becomes != "" && !time.Now().Before(n.at) {
		n.state, n.becomes = n.becomes, ""
	}
	return n.state
}

func (s *stage) now() int64 { return time.Since(s.start).Milliseconds() }

func (s *stage) names(n int, format string) (out []string) {
	for range n {
		s.next++
		out = append(out, fmt.Sprintf(format, byte(s.next>>16), byte(s.next>>8), byte(s.next)))
	}
	return
}

const (
	ipv4    = "10.%d.%d.%d"
	ipv6    = "fd00::%x:%x:%x"
	prefix4 = "11.%d.%d.%d/28"
	prefix6 = "fd01:%x:%x:%x::/80"
)

// The cloud

// A process's way to the cloud: once it is dead, no call leaves.
type line struct {
	*stage
	life int
}

var latency = map[string]string{
	"CreateNetworkInterface": "create", "AttachNetworkInterface": "attach", "DetachNetworkInterface": "detach", "DeleteNetworkInterface": "delete",
	"DescribeNetworkInterfaces": "describe", "DescribeVSwitches": "vswitch", "AssignPrivateIpAddresses": "assign", "AssignIpv6Addresses": "assign",
	"UnassignPrivateIpAddresses": "unassign", "UnassignIpv6Addresses": "unassign",
}

func (l line) RoundTrip(r *http.Request) (*http.Response, error) {
	form := r.URL.Query()
	if r.Body != nil {
		body, _ := io.ReadAll(r.Body)
		more, _ := url.ParseQuery(string(body))
		for k, v := range more {
			form[k] = v
		}
	}
	api := form.Get("Action")
	l.Lock()
	if l.life != l.stage.life {
		l.Unlock()
		select {}
	}
	l.calls[api]++
	l.Unlock()
	key, known := latency[api]
	if !known {
		panic("no stub of " + api)
	}
	time.Sleep(time.Duration(l.Latency[key]) * time.Millisecond)
	l.Lock()
	defer l.Unlock()
	answer, code := map[string]any(nil), ""
	for _, f := range l.Faults {
		if code == "" && f.API == api && f.From <= l.now() && l.now() < f.To {
			code = f.Code
		}
	}
	if code == "" {
		answer, code = l.execute(api, form)
	}
	status := 200
	if code != "" {
		l.errors[code]++
		status, answer = 403, map[string]any{"Code": code, "Message": "no"}
	}
	answer["RequestId"] = "r"
	out, _ := json.Marshal(answer)
	return &http.Response{StatusCode: status, Proto: "HTTP/1.1", Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(out)), Request: r}, nil
}

func list(form url.Values, name string) (out []string) {
	for i := 1; form.Has(fmt.Sprint(name, ".", i)); i++ {
		out = append(out, form.Get(fmt.Sprint(name, ".", i)))
	}
	return
}

func number(form url.Values, name string) int {
	n, _ := strconv.Atoi(form.Get(name))
	return n
}

func wrap(outer, inner string, of []string, field string) map[string]any {
	var out []any
	for i, ip := range of {
		switch field {
		case "PrivateIpAddress":
			out = append(out, map[string]any{field: ip, "Primary": i == 0})
		default:
			out = append(out, map[string]any{field: ip})
		}
	}
	return map[string]any{outer: map[string]any{inner: out}}
}

func (n *nic) show(described bool) map[string]any {
	out := map[string]any{"NetworkInterfaceId": n.id, "Status": n.status(), "Type": n.kind, "MacAddress": n.id, "VSwitchId": n.vsw, "PrivateIpAddress": n.v4[0]}
	for _, part := range []map[string]any{
		wrap("PrivateIpSets", "PrivateIpSet", n.v4, "PrivateIpAddress"), wrap("Ipv6Sets", "Ipv6Set", n.v6, "Ipv6Address"),
		wrap("Ipv4PrefixSets", "Ipv4PrefixSet", n.p4, "Ipv4Prefix"), wrap("Ipv6PrefixSets", "Ipv6PrefixSet", n.p6, "Ipv6Prefix"),
	} {
		for k, v := range part {
			out[k] = v
		}
	}
	if described {
		out["InstanceId"], out["NetworkInterfaceTrafficMode"] = fmt.Sprint("i-", n.node), n.mode
	}
	return out
}

func (s *stage) attached(node int) (n int) {
	for _, it := range s.nics {
		if it.node == node && it.status() != "Available" {
			n++
		}
	}
	return
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
		one := map[string]any{"VSwitchId": id, "ZoneId": s.VSwitches[0].Zone, "AvailableIpAddressCount": s.free[id], "CidrBlock": "10.0.0.0/8", "Ipv6CidrBlock": "fd00::/64"}
		return map[string]any{"VSwitches": map[string]any{"VSwitch": []any{one}}}, ""
	case "CreateNetworkInterface":
		vsw, v4, p4 := form.Get("VSwitchId"), 1+number(form, "SecondaryPrivateIpAddressCount"), number(form, "Ipv4PrefixCount")
		if s.free[vsw] < v4 {
			return nil, "InvalidVSwitchId.IpNotEnough"
		}
		if s.freePrefixes[vsw] < p4 {
			return nil, "InvalidVSwitchId.IpPrefixNotEnough"
		}
		node := -1
		for i := 1; form.Has(fmt.Sprintf("Tag.%d.Key", i)); i++ {
			if form.Get(fmt.Sprintf("Tag.%d.Key", i)) == "node" {
				node = number(form, fmt.Sprintf("Tag.%d.Value", i))
			}
		}
		s.free[vsw] -= v4
		s.freePrefixes[vsw] -= p4
		mode := form.Get("NetworkInterfaceTrafficMode")
		if mode == "" {
			mode = "Standard"
		}
		s.next++
		it = &nic{id: fmt.Sprintf("eni-%06d", s.next), vsw: vsw, kind: form.Get("InstanceType"), mode: mode, node: node, state: "Available",
			v4: s.names(v4, ipv4), v6: s.names(number(form, "Ipv6AddressCount"), ipv6), p4: s.names(p4, prefix4), p6: s.names(number(form, "Ipv6PrefixCount"), prefix6)}
		s.nics[it.id] = it
		return it.show(false), ""
	case "DescribeNetworkInterfaces":
		ids, instance := list(form, "NetworkInterfaceId"), form.Get("InstanceId")
		out := []any{}
		for _, it := range s.nics {
			there := instance == "" || instance == fmt.Sprint("i-", it.node) && it.status() != "Available"
			if there && (len(ids) == 0 || slices.Contains(ids, it.id)) {
				out = append(out, it.show(true))
			}
		}
		return map[string]any{"NetworkInterfaceSets": map[string]any{"NetworkInterfaceSet": out}}, ""
	case "AttachNetworkInterface":
		if it.status() != "Available" {
			return nil, "InvalidOperation.InvalidEniState"
		}
		if s.attached(it.node) >= s.Adapters-1 {
			return nil, "EniPerInstanceLimitExceeded"
		}
		it.state, it.becomes, it.at = "Attaching", "InUse", time.Now().Add(time.Duration(s.Latency["attach_settle"])*time.Millisecond)
	case "DetachNetworkInterface":
		if it.status() != "Available" {
			it.state, it.becomes, it.at = "Detaching", "Available", time.Now().Add(time.Duration(s.Latency["detach_settle"])*time.Millisecond)
		}
	case "DeleteNetworkInterface":
		if it.status() != "Available" {
			return nil, "InvalidOperation.InvalidEniState"
		}
		s.free[it.vsw] += len(it.v4)
		s.freePrefixes[it.vsw] += len(it.p4)
		delete(s.nics, it.id)
	case "AssignPrivateIpAddresses":
		v4, p4 := number(form, "SecondaryPrivateIpAddressCount"), number(form, "Ipv4PrefixCount")
		if len(it.v4)+len(it.p4)+v4+p4 > s.IPs {
			return nil, "InvalidOperation.Ipv4CountExceeded"
		}
		if s.free[it.vsw] < v4 {
			return nil, "InvalidVSwitchId.IpNotEnough"
		}
		if s.freePrefixes[it.vsw] < p4 {
			return nil, "InvalidVSwitchId.IpPrefixNotEnough"
		}
		s.free[it.vsw] -= v4
		s.freePrefixes[it.vsw] -= p4
		addresses, prefixes := s.names(v4, ipv4), s.names(p4, prefix4)
		it.v4, it.p4 = append(it.v4, addresses...), append(it.p4, prefixes...)
		set := map[string]any{"PrivateIpSet": map[string]any{"PrivateIpAddress": addresses}, "Ipv4PrefixSet": map[string]any{"Ipv4Prefixes": prefixes}}
		return map[string]any{"AssignedPrivateIpAddressesSet": set}, ""
	case "AssignIpv6Addresses":
		v6, p6 := number(form, "Ipv6AddressCount"), number(form, "Ipv6PrefixCount")
		if len(it.v6)+len(it.p6)+v6+p6 > s.IPs {
			return nil, "InvalidOperation.Ipv6CountExceeded"
		}
		addresses, prefixes := s.names(v6, ipv6), s.names(p6, prefix6)
		it.v6, it.p6 = append(it.v6, addresses...), append(it.p6, prefixes...)
		return map[string]any{"Ipv6Sets": map[string]any{"Ipv6Address": addresses}, "Ipv6PrefixSets": map[string]any{"Ipv6Prefix": prefixes}}, ""
	case "UnassignPrivateIpAddresses":
		s.free[it.vsw] += len(it.v4)
		s.freePrefixes[it.vsw] += len(it.p4)
		it.v4, it.p4 = without(it.v4, list(form, "PrivateIpAddress")), without(it.p4, list(form, "Ipv4Prefix"))
		s.free[it.vsw] -= len(it.v4)
		s.freePrefixes[it.vsw] -= len(it.p4)
	case "UnassignIpv6Addresses":
		it.v6, it.p6 = without(it.v6, list(form, "Ipv6Address")), without(it.p6, list(form, "Ipv6Prefix"))
	}
	return map[string]any{}, ""
}

func without(of, gone []string) []string {
	return slices.DeleteFunc(of, func(one string) bool { return slices.Contains(gone, one) })
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
func (s *stage) clients(t *testing.T, life int) (c clients) {
	var err error
	if c.ecs, err = ecs.NewClientWithAccessKey("r", "k", "s"); err != nil {
		t.Fatal(err)
	}
	if c.vpc, err = vpc.NewClientWithAccessKey("r", "k", "s"); err != nil {
		t.Fatal(err)
	}
	c.ecs.Domain, c.vpc.Domain = "ecs.stub", "vpc.stub"
	c.ecs.SetTransport(line{s, life})
	c.vpc.SetTransport(line{s, life})
	c.ecs.SetReadTimeout(time.Hour)
	c.vpc.SetReadTimeout(time.Hour)
	return c
}

// The controller

type silent struct{}

func (silent) Eventf(runtime.Object, runtime.Object, string, string, string, string, ...interface{}) {
}

// A life of the controller's process.
type process struct {
	queue priorityqueue.PriorityQueue[reconcile.Request]
}

func request(node int) reconcile.Request {
	return reconcile.Request{NamespacedName: k8stypes.NamespacedName{Name: nodeName(node)}}
}

func nodeName(node int) string { return fmt.Sprintf("node%d", node) }

func nodeOf(name string) int {
	n, _ := strconv.Atoi(strings.TrimPrefix(name, "node"))
	return n
}

func (p *process) trigger(node int) { p.queue.Add(request(node)) }

func (s *stage) launch(t *testing.T) *process {
	life := s.life
	api := aliyunClient.NewAPIFacade(s.clients(t, life), nil)
	pool, err := vswitch.NewSwitchPool(100, fmt.Sprint(s.TTL, "s"))
	if err != nil {
		t.Fatal(err)
	}
	failures := workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](time.Second, 300*time.Second)
	bucket := &workqueue.TypedBucketRateLimiter[reconcile.Request]{Limiter: rate.NewLimiter(500, 1000)}
	p := &process{queue: priorityqueue.New("multi-ip-node", func(o *priorityqueue.Opts[reconcile.Request]) {
		o.RateLimiter = workqueue.NewTypedMaxOfRateLimiter(failures, bucket)
	})}
	tracer := noop.NewTracerProvider().Tracer("")
	notify := make(chan string, 300)
	settings := viper.New()
	settings.Set("degradation", s.Degradation)
	r := &ReconcileNode{
		client: s.view(p, life), scheme: s.store.Scheme(), record: silent{}, aliyun: api, vswpool: pool, fullSyncNodePeriod: 12 * time.Hour,
		gcPeriod: 2 * time.Minute, tracer: tracer, eniBatchSize: ecsMaxConcurrentAttach, v: settings,
		eniTaskQueue: NewENITaskQueue(context.Background(), ops.NewExecutor(api, tracer), notify),
	}
	go func() {
		for name := range notify {
			p.trigger(nodeOf(name))
		}
	}()
	for range s.Workers {
		go func() {
			for {
				req, priority, shutdown := p.queue.GetWithPriority()
				if shutdown {
					return
				}
				result, err := r.Reconcile(context.Background(), req)
				s.ended(nodeOf(req.Name))
				switch {
				case err != nil:
					p.queue.AddWithOpts(priorityqueue.AddOpts{RateLimited: true, Priority: &priority}, req)
				case result.RequeueAfter > 0:
					p.queue.Forget(req)
					p.queue.AddWithOpts(priorityqueue.AddOpts{After: result.RequeueAfter, Priority: &priority}, req)
				default:
					p.queue.Forget(req)
				}
				p.queue.Done(req)
			}
		}()
	}
	return p
}

// A run ended, which counts if it got past the gate: only then does it look for pods.
func (s *stage) ended(node int) {
	s.Lock()
	defer s.Unlock()
	if s.effective[node] {
		s.runs[node]++
		s.effective[node] = false
	}
}

// What a process sees of the API server: its reads and writes take no time, its writes trigger it, and a dead process writes nothing.
func (s *stage) view(p *process, life int) client.Client {
	var limiter *rate.Limiter
	if s.QPS > 0 {
		limiter = rate.NewLimiter(rate.Limit(s.QPS), int(s.Burst))
	}
	return interceptor.NewClient(s.store, interceptor.Funcs{
		List: func(ctx context.Context, c client.WithWatch, of client.ObjectList, opts ...client.ListOption) error {
			o := (&client.ListOptions{}).ApplyOptions(opts)
			if _, pods := of.(*corev1.PodList); pods && o.LabelSelector == nil {
				name, _ := o.FieldSelector.RequiresExactMatch("spec.nodeName")
				s.Lock()
				s.effective[nodeOf(name)] = true
				s.Unlock()
			}
			return c.List(ctx, of, opts...)
		},
		SubResourceUpdate: func(ctx context.Context, c client.Client, sub string, obj client.Object, opts ...client.SubResourceUpdateOption) error {
			if limiter != nil {
				_ = limiter.Wait(ctx)
			}
			s.Lock()
			alive, now := life == s.life, s.now()
			s.Unlock()
			if !alive {
				select {}
			}
			for _, f := range s.Faults {
				if f.API == "UpdateNodeStatus" && f.From <= now && now < f.To {
					return k8sErr.NewConflict(schema.GroupResource{Resource: "nodes"}, obj.GetName(), fmt.Errorf("no"))
				}
			}
			if err := c.SubResource(sub).Update(ctx, obj, opts...); err != nil {
				return err
			}
			s.stored(nodeOf(obj.GetName()), obj.(*networkv1beta1.Node))
			p.trigger(nodeOf(obj.GetName()))
			return nil
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, obj client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
			s.Lock()
			dead := life != s.life
			s.Unlock()
			if dead {
				select {}
			}
			err := c.SubResource(sub).Patch(ctx, obj, patch, opts...)
			if err == nil {
				p.trigger(nodeOf(obj.GetName()))
			}
			return err
		},
	})
}

type holder struct {
	key, uid, v4, v6 string
}

// Whom a CR shows at an address.
func holders(of *networkv1beta1.Node) map[string]*holder {
	out := map[string]*holder{}
	note := func(ip *networkv1beta1.IP, six bool) {
		if ip.PodID == "" {
			return
		}
		h := out[ip.PodUID]
		if h == nil {
			h = &holder{key: ip.PodID, uid: ip.PodUID}
			out[ip.PodUID] = h
		}
		if six {
			h.v6 = ip.IP
		} else {
			h.v4 = ip.IP
		}
	}
	for _, nic := range of.Status.NetworkInterfaces {
		for _, ip := range nic.IPv4 {
			note(ip, false)
		}
		for _, ip := range nic.IPv6 {
			note(ip, true)
		}
	}
	return out
}

// A CR was written: who has an address now, and who has none any more?
func (s *stage) stored(node int, cr *networkv1beta1.Node) {
	shown := holders(cr)
	s.Lock()
	defer s.Unlock()
	s.writes[node]++
	for i, p := range s.pods {
		if p.Node != node {
			continue
		}
		h := shown[strconv.Itoa(i)]
		if h == nil {
			if p.Bound >= 0 && p.Deleted >= 0 && p.Released < 0 {
				p.Released = s.now()
			}
			continue
		}
		if p.Bound < 0 {
			p.Bound = s.now()
		}
		pod := &corev1.Pod{}
		if s.store.Get(context.Background(), p.key, pod) != nil || string(pod.UID) != h.uid || pod.Status.PodIP != "" {
			continue
		}
		pod.Status.PodIP = h.v4
		for _, ip := range []string{h.v4, h.v6} {
			if ip != "" {
				pod.Status.PodIPs = append(pod.Status.PodIPs, corev1.PodIP{IP: ip})
			}
		}
		if err := s.store.Status().Update(context.Background(), pod); err != nil {
			panic(err)
		}
	}
}

// The script

func (s *stage) join(node int) {
	size := func(n int) int {
		if s.Prefixes > 0 {
			return 0
		}
		return n
	}
	stack := map[bool]int{true: s.IPs, false: 0}[s.Dual]
	slots := s.Adapters - 1
	var flavor []networkv1beta1.Flavor
	add := func(kind networkv1beta1.ENIType, mode networkv1beta1.NetworkInterfaceTrafficMode, n int) {
		slots -= n
		flavor = append(flavor, networkv1beta1.Flavor{NetworkInterfaceType: kind, NetworkInterfaceTrafficMode: mode, Count: n})
	}
	if s.Trunk && slots > 0 {
		add(networkv1beta1.ENITypeTrunk, networkv1beta1.NetworkInterfaceTrafficModeStandard, 1)
	}
	if s.ERDMA && slots > 0 {
		add(networkv1beta1.ENITypeSecondary, networkv1beta1.NetworkInterfaceTrafficModeHighPerformance, 1)
	}
	add(networkv1beta1.ENITypeSecondary, networkv1beta1.NetworkInterfaceTrafficModeStandard, slots)
	pool := &networkv1beta1.PoolSpec{MaxPoolSize: size(s.Max), MinPoolSize: size(s.Min), WarmUpSize: size(s.WarmUp)}
	if s.Sync > 0 {
		pool.PoolSyncPeriod = fmt.Sprint(s.Sync, "s")
	}
	if s.After > 0 {
		pool.Reclaim = &networkv1beta1.IPReclaimPolicy{After: &metav1.Duration{Duration: time.Duration(s.After) * time.Second},
			Interval: &metav1.Duration{Duration: time.Duration(s.Interval) * time.Second}, BatchSize: s.Batch, JitterFactor: "0.1"}
	}
	var options []string
	for _, v := range s.VSwitches {
		options = append(options, v.ID)
	}
	cr := &networkv1beta1.Node{ObjectMeta: metav1.ObjectMeta{Name: nodeName(node)}, Spec: networkv1beta1.NodeSpec{
		NodeMetadata: networkv1beta1.NodeMetadata{InstanceID: fmt.Sprint("i-", node), InstanceType: "t", RegionID: "r", ZoneID: s.VSwitches[0].Zone},
		NodeCap:      networkv1beta1.NodeCap{Adapters: s.Adapters, TotalAdapters: s.Adapters, IPv4PerAdapter: s.IPs, IPv6PerAdapter: stack},
		Flavor:       flavor,
		Pool:         pool,
		ENISpec: &networkv1beta1.ENISpec{Tag: map[string]string{"node": strconv.Itoa(node)}, VSwitchOptions: options, SecurityGroupIDs: []string{"sg"},
			EnableIPv4: true, EnableIPv6: s.Dual, EnableERDMA: s.ERDMA, EnableTrunk: s.Trunk, VSwitchSelectPolicy: networkv1beta1.VSwitchSelectionPolicyMost,
			EnableIPPrefix: s.Prefixes > 0, IPv4PrefixCount: s.Prefixes},
	}}
	for _, obj := range []client.Object{&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: nodeName(node)}}, &networkv1beta1.NodeRuntime{ObjectMeta: metav1.ObjectMeta{Name: nodeName(node)}}, cr} {
		if err := s.store.Create(context.Background(), obj); err != nil {
			panic(err)
		}
	}
	s.process.trigger(node)
}

func (s *stage) add(e script) {
	s.Lock()
	defer s.Unlock()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: e.Pod, UID: k8stypes.UID(strconv.Itoa(len(s.pods)))}, Spec: corev1.PodSpec{NodeName: nodeName(e.Node)}}
	if e.ERDMA {
		pod.Spec.Containers = []corev1.Container{{Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{deviceplugin.ERDMAResName: resource.MustParse("1")}}}}
	}
	if err := s.store.Create(context.Background(), pod); err != nil {
		panic(err)
	}
	s.pods = append(s.pods, &story{Pod: e.Pod, Node: e.Node, Requested: e.T, Deleted: -1, Bound: -1, Released: -1, key: client.ObjectKeyFromObject(pod)})
}

// The place of the pod that is gone, -1 = there was none.
func (s *stage) del(e script) int {
	s.Lock()
	defer s.Unlock()
	for i := len(s.pods) - 1; i >= 0; i-- {
		p := s.pods[i]
		if p.Pod == e.Pod && p.Node == e.Node && p.Deleted < 0 {
			p.Deleted = e.T
			if err := s.store.Delete(context.Background(), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: e.Pod}}); err != nil {
				panic(err)
			}
			return i
		}
	}
	return -1
}

func (s *stage) report(gone []int) {
	for _, i := range gone {
		p := s.pods[i]
		at := &networkv1beta1.NodeRuntime{}
		if err := s.store.Get(context.Background(), client.ObjectKey{Name: nodeName(p.Node)}, at); err != nil {
			panic(err)
		}
		if at.Status.Pods == nil {
			at.Status.Pods = map[string]*networkv1beta1.RuntimePodStatus{}
		}
		at.Status.Pods[strconv.Itoa(i)] = &networkv1beta1.RuntimePodStatus{PodID: "n/" + p.Pod, Status: map[networkv1beta1.CNIStatus]*networkv1beta1.CNIStatusInfo{
			networkv1beta1.CNIStatusDeleted: {LastUpdateTime: metav1.Now()}}}
		if err := s.store.Status().Update(context.Background(), at); err != nil {
			panic(err)
		}
	}
	for _, i := range gone {
		s.process.trigger(s.pods[i].Node)
	}
}

// Events of one instant are applied before anybody is told of them.
func (s *stage) at(t *testing.T, events []script) {
	var tell, gone []int
	for _, e := range events {
		switch e.Op {
		case "add":
			s.add(e)
			tell = append(tell, e.Node)
		case "del":
			if i := s.del(e); i >= 0 {
				gone = append(gone, i)
			}
		case "vswitch":
			s.Lock()
			s.free[e.VSwitch] = max(0, s.free[e.VSwitch]+e.Delta)
			s.Unlock()
		case "restart":
			s.Lock()
			s.life++
			s.Unlock()
			s.process.queue.ShutDown()
			s.process = s.launch(t)
			for node := range s.Nodes {
				if int64(node)*s.Stagger <= s.now() {
					tell = append(tell, node)
				}
			}
		}
	}
	for _, node := range tell {
		s.process.trigger(node)
	}
	if len(gone) > 0 {
		time.AfterFunc(time.Duration(s.Report)*time.Millisecond, func() { s.report(gone) })
	}
}

func (s *stage) sample() map[string]int {
	ctx := context.Background()
	row := map[string]int{}
	for node := range s.Nodes {
		what := func(name string, n int) { row[fmt.Sprintf("node%d.%s", node, name)] = n }
		var enis, v4, v6, p4, p6, bound, there, idle int
		for _, it := range s.nics {
			if it.node == node {
				enis, v4, v6, p4, p6 = enis+1, v4+len(it.v4), v6+len(it.v6), p4+len(it.p4), p6+len(it.p6)
			}
		}
		cr := &networkv1beta1.Node{}
		_ = s.store.Get(ctx, client.ObjectKey{Name: nodeName(node)}, cr)
		shown := holders(cr)
		for i, p := range s.pods {
			if p.Node == node && p.Deleted < 0 {
				there++
				if h := shown[strconv.Itoa(i)]; h != nil {
					bound++
				}
			}
		}
		for _, nic := range cr.Status.NetworkInterfaces {
			for _, ip := range nic.IPv4 {
				if nic.Status == aliyunClient.ENIStatusInUse && ip.Status == networkv1beta1.IPStatusValid && ip.PodID == "" {
					idle++
				}
			}
		}
		sufficient := -1
		k8s := &corev1.Node{}
		_ = s.store.Get(ctx, client.ObjectKey{Name: nodeName(node)}, k8s)
		for _, c := range k8s.Status.Conditions {
			if c.Type == types.SufficientIPCondition {
				sufficient = map[corev1.ConditionStatus]int{corev1.ConditionTrue: 1, corev1.ConditionFalse: 0}[c.Status]
			}
		}
		what("enis", enis)
		what("ips", v4)
		what("prefixes", p4)
		what("bound", bound)
		what("pending", there-bound)
		what("held", len(shown)-bound)
		what("idle", idle)
		what("sufficient", sufficient)
		if s.Dual {
			what("ipv6", v6)
			what("ipv6_prefixes", p6)
		}
	}
	for id, free := range s.free {
		row[id+".available"] = free
	}
	return row
}

func TestPlay(t *testing.T) {
	raw, err := os.ReadFile(os.Getenv("CASE"))
	if err != nil {
		t.Fatal(err)
	}
	file := &struct{ Case golden }{}
	if err := json.Unmarshal(raw, file); err != nil {
		t.Fatal(err)
	}
	logf.SetLogger(logr.Discard())
	synctest.Test(t, func(t *testing.T) { play(t, &file.Case) })
}

func play(t *testing.T, g *golden) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, networkv1beta1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	s := &stage{golden: g, start: time.Now(), free: map[string]int{}, freePrefixes: map[string]int{}, nics: map[string]*nic{}, calls: map[string]int{},
		errors: map[string]int{}, pods: []*story{}, writes: make([]int, g.Nodes), runs: make([]int, g.Nodes), effective: make([]bool, g.Nodes)}
	for _, v := range g.VSwitches {
		s.free[v.ID], s.freePrefixes[v.ID] = v.Available, v.Prefixes
	}
	s.store = fake.NewClientBuilder().WithScheme(scheme).WithStatusSubresource(&corev1.Node{}, &corev1.Pod{}, &networkv1beta1.Node{}, &networkv1beta1.NodeRuntime{}).
		WithIndex(&corev1.Pod{}, "spec.nodeName", func(o client.Object) []string { return []string{o.(*corev1.Pod).Spec.NodeName} }).Build()
	s.process = s.launch(t)
	sort.SliceStable(g.Events, func(i, j int) bool { return g.Events[i].T < g.Events[j].T })
	for node := range g.Nodes {
		time.AfterFunc(time.Duration(int64(node)*g.Stagger)*time.Millisecond, func() { s.join(node) })
	}
	var timeline []map[string]int
	last, next := "", 0
	for at := int64(0); at <= g.Until; at += g.Sample {
		for next < len(g.Events) && g.Events[next].T <= at {
			first, now := next, g.Events[next].T
			for next < len(g.Events) && g.Events[next].T == now {
				next++
			}
			time.Sleep(time.Until(s.start.Add(time.Duration(now) * time.Millisecond)))
			s.at(t, g.Events[first:next])
		}
		time.Sleep(time.Until(s.start.Add(time.Duration(at) * time.Millisecond)))
		synctest.Wait()
		row := s.sample()
		if text := fmt.Sprint(row); text != last {
			last = text
			row["t_ms"] = int(at)
			timeline = append(timeline, row)
		}
	}
	out, err := json.Marshal(map[string]any{"timeline": timeline, "api_calls": s.calls, "api_errors": s.errors, "cr_writes": s.writes, "effective_runs": s.runs, "pods": s.pods})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(os.Getenv("OUT"), out, 0o644); err != nil {
		t.Fatal(err)
	}
	os.Exit(0)
}
