// Plays a case of tests/conformance/node-local* on the real daemon of Terway, from AllocIP and ReleaseIP inwards, under a virtual
// clock, against a stub of the cloud. How to run it: README.md.
package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"sort"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	sdkErr "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/vpc"

	"github.com/AliyunContainerService/terway/pkg/aliyun/client"
	"github.com/AliyunContainerService/terway/pkg/aliyun/metadata"
	"github.com/AliyunContainerService/terway/pkg/eni"
	"github.com/AliyunContainerService/terway/pkg/factory/aliyun"
	"github.com/AliyunContainerService/terway/pkg/k8s"
	"github.com/AliyunContainerService/terway/pkg/storage"
	"github.com/AliyunContainerService/terway/pkg/utils"
	"github.com/AliyunContainerService/terway/pkg/vswitch"
	"github.com/AliyunContainerService/terway/rpc"
	"github.com/AliyunContainerService/terway/types"
	"github.com/AliyunContainerService/terway/types/daemon"
)

type event struct {
	T     int64  `json:"t_ms"`
	Op    string `json:"op"`
	Node  int    `json:"node"`
	Pod   string `json:"pod"`
	ERDMA bool   `json:"erdma"`
	// Terway retains its address.
	Stateful bool   `json:"stateful"`
	VSwitch  string `json:"vswitch"`
	Delta    int    `json:"delta"`
}

type file struct {
	Case struct {
		Nodes     int    `json:"nodes"`
		Slots     int    `json:"eni_slots"`
		IPs       int    `json:"ips_per_eni"`
		Max       int    `json:"max_pool_size"`
		Min       int    `json:"min_pool_size"`
		Stack     string `json:"ip_stack"`
		Trunk     bool   `json:"trunk"`
		ERDMA     int    `json:"erdma_slots"`
		Sync      int64  `json:"ip_pool_sync_period_s"`
		Eni       string `json:"eni_selection_policy"`
		Selection string `json:"vswitch_selection"`
		After     int64  `json:"idle_ip_reclaim_after_s"`
		Interval  int64  `json:"idle_ip_reclaim_interval_s"`
		Batch     int    `json:"idle_ip_reclaim_batch_size"`
		VSwitches []struct {
			ID        string `json:"id"`
			Zone      string `json:"zone"`
			Available int    `json:"available"`
		} `json:"vswitches"`
		Latency map[string]int64 `json:"latency_ms"`
		Retry   int64            `json:"kubelet_retry_ms"`
		RPC     int64            `json:"rpc_timeout_ms"`
		// The collection runs.
		Collects bool    `json:"collects"`
		Until    int64   `json:"until_ms"`
		Sample   int64   `json:"sample_ms"`
		Events   []event `json:"events"`
	} `json:"case"`
}

type nic struct {
	id, mac, vsw string
	node         int
	v4, v6       []netip.Addr
	attached     bool
	kind         string
	// The daemon that made it died before it was attached: nobody knows it, unless another one finds it attached.
	lost bool
}

type cloud struct {
	sync.Mutex
	f      *file
	free   map[string]int
	nics   map[string]*nic
	next   uint32
	calls  map[string]int
	errors map[string]int
}

// A call leaves, unless the daemon has died, and ends; the caller unlocks.
func (a *api) wait(call, key string) {
	a.Lock()
	if a.dead {
		a.Unlock()
		select {}
	}
	a.calls[call]++
	a.Unlock()
	time.Sleep(time.Duration(a.f.Case.Latency[key]) * time.Millisecond)
	a.Lock()
}

func (c *cloud) refuse(code string) error {
	c.errors[code]++
	return sdkErr.NewServerError(403, `{"Code":"`+code+`","Message":"no","RequestId":"r"}`, "")
}

func (c *cloud) addresses(n int, six bool) (out []netip.Addr) {
	for range n {
		c.next++
		if six {
			out = append(out, netip.MustParseAddr(fmt.Sprintf("fd00::%x:%x", c.next>>16, c.next&0xffff)))
		} else {
			out = append(out, netip.AddrFrom4([4]byte{10, byte(c.next >> 16), byte(c.next >> 8), byte(c.next)}))
		}
	}
	return
}

type api struct {
	client.OpenAPI
	client.ECS
	*cloud
	node int
	dead bool
}

func (a *api) GetECS() client.ECS { return a }
func (a *api) GetVPC() client.VPC { return a }

func (a *api) DescribeVSwitchByID(_ context.Context, id string) (*vpc.VSwitch, error) {
	a.wait("DescribeVSwitches", "vswitch")
	defer a.Unlock()
	return &vpc.VSwitch{VSwitchId: id, ZoneId: a.f.Case.VSwitches[0].Zone, AvailableIpAddressCount: int64(a.free[id]), CidrBlock: "10.0.0.0/8", Ipv6CidrBlock: "fd00::/64"}, nil
}

func ipSets(of []netip.Addr) (out []client.IPSet) {
	for i, ip := range of {
		out = append(out, client.IPSet{IPAddress: ip.String(), Primary: i == 0})
	}
	return
}

func (a *api) CreateNetworkInterface(_ context.Context, opts ...client.CreateNetworkInterfaceOption) (*client.NetworkInterface, error) {
	o := &client.CreateNetworkInterfaceOptions{}
	for _, opt := range opts {
		opt.ApplyCreateNetworkInterface(o)
	}
	n := o.NetworkInterfaceOptions
	a.wait("CreateNetworkInterface", "create")
	defer a.Unlock()
	count := max(n.IPCount, 1)
	if a.free[n.VSwitchID] < count {
		return nil, a.refuse("InvalidVSwitchId.IpNotEnough")
	}
	a.free[n.VSwitchID] -= count
	a.next++
	id := fmt.Sprintf("eni-%d", a.next)
	it := &nic{id: id, mac: fmt.Sprintf("02:00:%02x:%02x:%02x:%02x", byte(a.next>>24), byte(a.next>>16), byte(a.next>>8), byte(a.next)), vsw: n.VSwitchID, node: a.node, kind: kind(n), lost: a.dead, v4: a.addresses(count, false), v6: a.addresses(n.IPv6Count, true)}
	a.nics[id] = it
	return &client.NetworkInterface{NetworkInterfaceID: id, MacAddress: it.mac, VSwitchID: it.vsw, PrivateIPAddress: it.v4[0].String(), PrivateIPSets: ipSets(it.v4), IPv6Set: ipSets(it.v6), Status: "Available"}, nil
}

func kind(n *client.NetworkInterfaceOptions) string {
	switch {
	case n.Trunk:
		return "trunk"
	case n.ERDMA:
		return "erdma"
	}
	return "secondary"
}

func (a *api) AttachNetworkInterface(ctx context.Context, opts ...client.AttachNetworkInterfaceOption) error {
	// As the client does while it waits for its limit.
	if err := ctx.Err(); err != nil {
		return err
	}
	o := &client.AttachNetworkInterfaceOptions{}
	for _, opt := range opts {
		opt.ApplyTo(o)
	}
	a.wait("AttachNetworkInterface", "attach")
	defer a.Unlock()
	n := 0
	for _, it := range a.nics {
		if it.node == a.node && it.attached {
			n++
		}
	}
	if n >= a.f.Case.Slots {
		return a.refuse("EniPerInstanceLimitExceeded")
	}
	a.nics[*o.NetworkInterfaceID].attached = true
	return nil
}

func (a *api) DescribeNetworkInterface(_ context.Context, _ string, ids []string, _, _, _ string, _ map[string]string) ([]*client.NetworkInterface, error) {
	a.wait("DescribeNetworkInterfaces", "describe")
	defer a.Unlock()
	var out []*client.NetworkInterface
	for _, id := range ids {
		if it := a.nics[id]; it != nil {
			status := "Available"
			if it.attached {
				status = "InUse"
			}
			out = append(out, &client.NetworkInterface{NetworkInterfaceID: id, MacAddress: it.mac, Status: status})
		}
	}
	return out, nil
}

func (a *api) AssignPrivateIPAddress(_ context.Context, opts ...client.AssignPrivateIPAddressOption) ([]netip.Addr, error) {
	o := &client.AssignPrivateIPAddressOptions{}
	for _, opt := range opts {
		opt.ApplyAssignPrivateIPAddress(o)
	}
	n := o.NetworkInterfaceOptions
	a.wait("AssignPrivateIpAddresses", "assign")
	defer a.Unlock()
	it := a.nics[n.NetworkInterfaceID]
	if len(it.v4)+n.IPCount > a.f.Case.IPs {
		return nil, a.refuse("InvalidOperation.PrivateIpCountExceeded")
	}
	if a.free[it.vsw] < n.IPCount {
		return nil, a.refuse("InvalidVSwitchId.IpNotEnough")
	}
	a.free[it.vsw] -= n.IPCount
	more := a.addresses(n.IPCount, false)
	it.v4 = append(it.v4, more...)
	return more, nil
}

func (a *api) AssignIpv6Addresses(_ context.Context, opts ...client.AssignIPv6AddressesOption) ([]netip.Addr, error) {
	o := &client.AssignIPv6AddressesOptions{}
	for _, opt := range opts {
		opt.ApplyAssignIPv6Addresses(o)
	}
	n := o.NetworkInterfaceOptions
	a.wait("AssignIpv6Addresses", "assign")
	defer a.Unlock()
	it := a.nics[n.NetworkInterfaceID]
	if len(it.v6)+n.IPv6Count > a.f.Case.IPs {
		return nil, a.refuse("InvalidOperation.PrivateIpCountExceeded")
	}
	more := a.addresses(n.IPv6Count, true)
	it.v6 = append(it.v6, more...)
	return more, nil
}

func without(of, gone []netip.Addr) (left []netip.Addr) {
	for _, ip := range of {
		found := false
		for _, g := range gone {
			found = found || g == ip
		}
		if !found {
			left = append(left, ip)
		}
	}
	return
}

func (a *api) UnAssignPrivateIPAddresses(_ context.Context, id string, ips []netip.Addr) error {
	a.wait("UnassignPrivateIpAddresses", "unassign")
	defer a.Unlock()
	it := a.nics[id]
	for _, ip := range ips {
		if ip == it.v4[0] {
			return a.refuse("InvalidIp.IpUnassigned.Primary")
		}
	}
	a.free[it.vsw] += len(it.v4)
	it.v4 = without(it.v4, ips)
	a.free[it.vsw] -= len(it.v4)
	return nil
}

func (a *api) UnAssignIpv6Addresses(_ context.Context, id string, ips []netip.Addr) error {
	a.wait("UnassignIpv6Addresses", "unassign")
	defer a.Unlock()
	it := a.nics[id]
	it.v6 = without(it.v6, ips)
	return nil
}

func (a *api) DetachNetworkInterface(ctx context.Context, id, _, _ string) error {
	// As the client does while it waits for its limit.
	if err := ctx.Err(); err != nil {
		return err
	}
	a.wait("DetachNetworkInterface", "detach")
	defer a.Unlock()
	a.nics[id].attached = false
	return nil
}

func (a *api) DeleteNetworkInterface(ctx context.Context, id string) error {
	// As the client does while it waits for its limit.
	if err := ctx.Err(); err != nil {
		return err
	}
	a.wait("DeleteNetworkInterface", "delete")
	defer a.Unlock()
	a.free[a.nics[id].vsw] += len(a.nics[id].v4)
	delete(a.nics, id)
	return nil
}

func (c *cloud) of(mac string) *nic {
	for _, it := range c.nics {
		if it.mac == mac {
			return it
		}
	}
	return nil
}

func (a *api) GetENIPrivateAddressesByMACv2(mac string) ([]netip.Addr, error) {
	a.Lock()
	defer a.Unlock()
	if it := a.of(mac); it != nil {
		return append([]netip.Addr{}, it.v4...), nil
	}
	return nil, fmt.Errorf("no such interface")
}

func (a *api) GetENIPrivateIPv6AddressesByMACv2(mac string) ([]netip.Addr, error) {
	a.Lock()
	defer a.Unlock()
	if it := a.of(mac); it != nil {
		return append([]netip.Addr{}, it.v6...), nil
	}
	return nil, fmt.Errorf("no such interface")
}

func (a *api) GetENIs(bool) ([]*daemon.ENI, error) { return nil, nil }

func (c *cloud) metadata(url string) ([]byte, error) {
	c.Lock()
	defer c.Unlock()
	if strings.HasSuffix(url, "/macs/") || strings.HasSuffix(url, "/macs") {
		var out []string
		for _, it := range c.nics {
			if it.attached {
				out = append(out, it.mac+"/")
			}
		}
		return []byte(strings.Join(out, "\n")), nil
	}
	parts := strings.Split(url, "/")
	mac, what := parts[len(parts)-2], parts[len(parts)-1]
	it := c.of(mac)
	if it == nil {
		return nil, &metadata.Error{Code: "404"}
	}
	switch what {
	case "private-ipv4s":
		out, _ := json.Marshal(it.v4)
		return out, nil
	case "ipv6s":
		if len(it.v6) == 0 {
			return nil, &metadata.Error{Code: "404"}
		}
		var out []string
		for _, ip := range it.v6 {
			out = append(out, ip.String())
		}
		return []byte("[" + strings.Join(out, ", ") + "]"), nil
	case "vswitch-cidr-block":
		return []byte("10.0.0.0/8"), nil
	case "vswitch-ipv6-cidr-block":
		return []byte("fd00::/64"), nil
	case "gateway":
		return []byte("10.255.255.253"), nil
	case "ipv6-gateway":
		return []byte("fd00::ffff"), nil
	}
	return nil, fmt.Errorf("unknown %s", url)
}

// What a daemon that starts finds, in the order in which it was made.
func (a *api) attached() (out []*daemon.ENI) {
	a.Lock()
	defer a.Unlock()
	for _, it := range a.nics {
		if it.node == a.node && it.attached {
			it.lost = false
			out = append(out, &daemon.ENI{ID: it.id, MAC: it.mac, VSwitchID: it.vsw, Trunk: it.kind == "trunk", ERdma: it.kind == "erdma", PrimaryIP: types.IPSet{IPv4: it.v4[0].AsSlice()}})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].MAC < out[j].MAC })
	return
}

type pod struct {
	Pod       string `json:"pod"`
	Requested int64  `json:"requested_ms"`
	Allocated int64  `json:"allocated_ms"`
	node      int
	erdma     bool
	stateful  bool
	cancel    context.CancelFunc
	// It has its address, from the sandbox of this name.
	sandbox string
	// It is deleted; its object is not there any more.
	gone, left bool
}

// Kubernetes, as far as the daemon of a node asks.
type kube struct {
	k8s.Kubernetes
	*sync.Mutex
	node      int
	pods      *[]*pod
	inNoOrder bool
}

// The newest pod of a name; the caller unlocks.
func (k *kube) find(name string) (found *pod) {
	for _, p := range *k.pods {
		if p.Pod == name && p.node == k.node {
			found = p
		}
	}
	return
}

func (k *kube) info(p *pod) *daemon.PodInfo {
	info := &daemon.PodInfo{Name: p.Pod, Namespace: "n", PodUID: fmt.Sprint(p.Pod, "@", p.Requested), PodNetworkType: daemon.PodNetworkTypeENIMultiIP, ERdma: p.erdma}
	if p.stateful {
		info.IPStickTime = 5 * time.Minute
	}
	return info
}

// The API server answers in a moment, less than the answers say, and in no order.
func (k *kube) GetPod(ctx context.Context, _, name string, _ bool) (*daemon.PodInfo, error) {
	if k.inNoOrder {
		time.Sleep(time.Duration(1+rand.IntN(100)) * time.Microsecond)
	}
	k.Lock()
	defer k.Unlock()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return k.info(k.find(name)), nil
}

func (k *kube) GetLocalPods(context.Context) (out []*daemon.PodInfo, _ error) {
	k.Lock()
	defer k.Unlock()
	for _, p := range *k.pods {
		if p.node == k.node && !p.left {
			out = append(out, k.info(p))
		}
	}
	return
}

func (k *kube) PodExist(_ context.Context, _, name string) (bool, error) {
	k.Lock()
	defer k.Unlock()
	p := k.find(name)
	return p != nil && !p.left, nil
}

func (k *kube) GetServiceCIDR() *types.IPNetSet { return &types.IPNetSet{} }

func TestPlay(t *testing.T) {
	raw, err := os.ReadFile(os.Getenv("CASE"))
	if err != nil {
		t.Fatal(err)
	}
	f := &file{}
	if err := json.Unmarshal(raw, f); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) { play(t, f) })
}

func play(t *testing.T, f *file) {
	k := &f.Case
	c := &cloud{f: f, free: map[string]int{}, nics: map[string]*nic{}, calls: map[string]int{}, errors: map[string]int{}}
	var options []string
	for _, v := range k.VSwitches {
		c.free[v.ID] = v.Available
		options = append(options, v.ID)
	}
	metadata.Stub = c.metadata
	ctx := context.Background()
	start := time.Now()
	now := func() int64 { return time.Since(start).Milliseconds() }
	dual := k.Stack == "dual"
	capacity := k.Slots * k.IPs
	maxPool := min(k.Max, capacity)
	var lock sync.Mutex
	var pods []*pod
	byName := map[string]*pod{}
	// A daemon's life: calls of the life before go on in the cloud, and nobody hears of them.
	type life struct {
		*networkService
		*api
		context.Context
		end context.CancelFunc
	}
	lives := make([]*life, k.Nodes)
	living := func(node int) *life {
		lock.Lock()
		defer lock.Unlock()
		return lives[node]
	}
	begin := func(node int) {
		vsw, err := vswitch.NewSwitchPool(100, "10m")
		if err != nil {
			panic(err)
		}
		a := &api{cloud: c, node: node}
		ctx, end := context.WithCancel(ctx)
		it := &life{api: a, Context: ctx, end: end}
		fac := aliyun.NewAliyun(ctx, a, a, vsw, &daemon.ENIConfig{ZoneID: k.VSwitches[0].Zone, VSwitchOptions: append([]string{}, options...), InstanceID: fmt.Sprint("i-", node), VSwitchSelectionPolicy: vswitch.SelectionPolicy(k.Selection), EnableIPv4: true, EnableIPv6: dual})
		pool := &daemon.PoolConfig{EnableIPv4: true, EnableIPv6: dual, Capacity: capacity, MaxENI: k.Slots, MaxIPPerENI: k.IPs, BatchSize: 10, MaxPoolSize: maxPool, MinPoolSize: min(k.Min, maxPool), ReclaimBatchSize: k.Batch, ReclaimInterval: time.Duration(k.Interval) * time.Second, ReclaimAfter: time.Duration(k.After) * time.Second}
		// As initTrunk and setupENIManager of the package daemon have it.
		trunk := ""
		for _, nic := range a.attached() {
			if nic.Trunk && trunk == "" {
				trunk = nic.ID
			}
		}
		if k.Trunk && trunk == "" {
			nic, _, _, err := fac.CreateNetworkInterface(1, map[bool]int{true: 1}[dual], "trunk")
			if err != nil {
				panic(err)
			}
			trunk = nic.ID
		}
		attached := a.attached()
		adopted := 0
		for _, nic := range attached {
			if nic.ERdma {
				adopted++
			}
		}
		rdma := k.ERDMA
		if len(attached) >= k.Slots-rdma && adopted == 0 {
			rdma = 0
		}
		var list []eni.NetworkInterface
		ordinary := 0
		for _, nic := range attached {
			switch {
			case k.Trunk && nic.ID == trunk:
				ordinary++
				list = append(list, eni.NewTrunk(nil, eni.NewLocal(nic, "trunk", fac, pool)))
			case rdma > 0 && nic.ERdma:
				list = append(list, eni.NewLocal(nic, "erdma", fac, pool))
			default:
				ordinary++
				list = append(list, eni.NewLocal(nic, "secondary", fac, pool))
			}
		}
		for range rdma - adopted {
			list = append(list, eni.NewLocal(nil, "erdma", fac, pool))
		}
		for range k.Slots - rdma - ordinary {
			list = append(list, eni.NewLocal(nil, "secondary", fac, pool))
		}
		// What the dead process would still write goes to its own copy of the records.
		records := storage.NewMemoryStorage()
		var have []daemon.PodResources
		if before := living(node); before != nil {
			list, _ := before.resourceDB.List()
			have = getPodResources(list)
			for _, record := range have {
				if err := records.Put(utils.PodInfoKey(record.PodInfo.Namespace, record.PodInfo.Name), record); err != nil {
					panic(err)
				}
			}
		}
		it.networkService = &networkService{
			daemonMode: daemon.ModeENIMultiIP, k8s: &kube{Mutex: &lock, node: node, pods: &pods, inNoOrder: k.Collects}, resourceDB: records,
			enableIPv4: true, enableIPv6: dual,
			eniMgr: eni.NewManager(pool, time.Duration(k.Sync)*time.Second, list, daemon.EniSelectionPolicy(k.Eni), nil),
		}
		if err := it.eniMgr.Run(ctx, &it.wg, have); err != nil {
			panic(err)
		}
		if k.Collects {
			go it.startGarbageCollectionLoop(ctx)
		}
		lock.Lock()
		lives[node] = it
		lock.Unlock()
	}
	restart := func(node int) {
		c.Lock()
		lives[node].dead = true
		for _, it := range c.nics {
			it.lost = it.lost || it.node == node && !it.attached
		}
		c.Unlock()
		lives[node].end()
		begin(node)
	}
	for node := range k.Nodes {
		if k.Trunk {
			go begin(node)
		} else {
			begin(node)
		}
	}
	// CNI DEL, which is made again until it is heard; with its answer the pod's object goes.
	del := func(p *pod) {
		for {
			daemonOf := living(p.node)
			_, err := daemonOf.ReleaseIP(daemonOf, &rpc.ReleaseIPRequest{K8SPodName: p.Pod, K8SPodNamespace: "n", K8SPodInfraContainerId: p.sandbox})
			if err == nil && daemonOf.Err() == nil {
				break
			}
			time.Sleep(time.Duration(k.Retry) * time.Millisecond)
		}
		lock.Lock()
		p.left = true
		lock.Unlock()
	}
	add := func(e event) {
		p := &pod{Pod: e.Pod, Requested: e.T, Allocated: -1, node: e.Node, erdma: e.ERDMA, stateful: e.Stateful}
		podCtx, cancel := context.WithCancel(ctx)
		p.cancel = cancel
		lock.Lock()
		pods = append(pods, p)
		byName[e.Pod] = p
		lock.Unlock()
		go func() {
			for {
				daemonOf := living(p.node)
				try, done := context.WithTimeout(podCtx, time.Duration(k.RPC)*time.Millisecond)
				context.AfterFunc(daemonOf, done)
				sandbox := fmt.Sprint(p.Pod, "@", now())
				_, err := daemonOf.AllocIP(try, &rpc.AllocIPRequest{K8SPodName: p.Pod, K8SPodNamespace: "n", K8SPodInfraContainerId: sandbox})
				done()
				if err == nil {
					lock.Lock()
					p.sandbox = sandbox
					p.Allocated = now()
					gone := p.gone
					lock.Unlock()
					if gone {
						del(p)
					}
					return
				}
				select {
				case <-podCtx.Done():
					return
				case <-time.After(time.Duration(k.Retry) * time.Millisecond):
				}
			}
		}()
	}
	remove := func(e event) {
		lock.Lock()
		p := byName[e.Pod]
		if p == nil {
			lock.Unlock()
			return
		}
		delete(byName, e.Pod)
		p.gone = true
		p.left = p.sandbox == ""
		lock.Unlock()
		p.cancel()
		if !p.left {
			go del(p)
		}
	}
	type row = map[string]int64
	var timeline []row
	var last string
	sample := func(at int64) {
		r := row{}
		c.Lock()
		for node := range k.Nodes {
			var enis, ips int64
			for _, it := range c.nics {
				if it.node == node && !it.lost {
					enis++
					ips += int64(len(it.v4))
				}
			}
			r[fmt.Sprintf("node%d.enis", node)], r[fmt.Sprintf("node%d.ips", node)] = enis, ips
			r[fmt.Sprintf("node%d.in_use", node)], r[fmt.Sprintf("node%d.pending", node)] = 0, 0
		}
		for id, free := range c.free {
			r[id+".available"] = int64(free)
		}
		c.Unlock()
		lock.Lock()
		for _, p := range pods {
			if p.gone {
				continue
			}
			if p.sandbox != "" {
				r[fmt.Sprintf("node%d.in_use", p.node)]++
			} else {
				r[fmt.Sprintf("node%d.pending", p.node)]++
			}
		}
		lock.Unlock()
		text := fmt.Sprint(r)
		if text != last {
			last = text
			r["t_ms"] = at
			timeline = append(timeline, r)
		}
	}
	sort.SliceStable(k.Events, func(i, j int) bool { return k.Events[i].T < k.Events[j].T })
	next := 0
	for at := int64(0); at <= k.Until; at += k.Sample {
		for next < len(k.Events) && k.Events[next].T <= at {
			e := k.Events[next]
			next++
			time.Sleep(time.Duration(e.T-now()) * time.Millisecond)
			switch e.Op {
			case "add":
				add(e)
			case "del":
				remove(e)
			case "restart":
				restart(e.Node)
			case "vswitch":
				c.Lock()
				c.free[e.VSwitch] = max(0, c.free[e.VSwitch]+e.Delta)
				c.Unlock()
			}
		}
		time.Sleep(time.Until(start.Add(time.Duration(at) * time.Millisecond)))
		synctest.Wait()
		sample(at)
	}
	out, err := json.Marshal(map[string]any{"timeline": timeline, "api_calls": c.calls, "api_errors": c.errors, "pods": pods})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(os.Getenv("OUT"), out, 0o644); err != nil {
		t.Fatal(err)
	}
	fmt.Println("1 passed")
	os.Exit(0)
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
