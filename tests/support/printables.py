"""Objects of all kinds, in the states that matter to how they print: what `tables.py` makes real servers print.

Each is a path ("%s" is a namespace), a body, and the status that it gets (None: the one it has).
"""

from __future__ import annotations

from typing import Any

# fmt: off
# ruff: noqa: E702, E731
EARLY='2020-01-01T00:00:00Z'; LATE='2020-06-01T00:00:00Z'
def pod(name, status=None, spec=None, meta=None):
    return ('/api/v1/namespaces/%s/pods', {"metadata":{"name":name,**(meta or {})},"spec":{"containers":[{"name":"a","image":"i"},{"name":"b","image":"j"}],**(spec or {})}}, status)
def cs(name,ready=False,restarts=0,state=None,last=None,**k): return {"name":name,"image":"i","imageID":"","ready":ready,"restartCount":restarts,"state":state or {}, "lastState":last or {},**k}
T=lambda code=0,reason="",signal=0,fin=EARLY: {"terminated":{"exitCode":code,"finishedAt":fin,"startedAt":EARLY,**({"reason":reason} if reason else {}),**({"signal":signal} if signal else {})}}
R={"running":{"startedAt":EARLY}}
W=lambda r: {"waiting":{"reason":r}}
C=lambda t,s="True",**k: {"type":t,"status":s,**k}
SIDE={"initContainers":[{"name":"x","image":"i","restartPolicy":"Always"},{"name":"y","image":"i"}]}
PODS: list[Any] = [
 pod('run',{"phase":"Running","podIPs":[{"ip":"10.1.1.1"}],"podIP":"10.1.1.1","conditions":[C("Ready")],"containerStatuses":[cs('a',True,0,R),cs('b',True,3,R,T(1,"Error"))]}),
 pod('part',{"phase":"Running","containerStatuses":[cs('a',True,0,R),cs('b',False,0,R)]}),
 pod('crash',{"phase":"Running","containerStatuses":[cs('a',False,5,W("CrashLoopBackOff"),T(1,fin=LATE)),cs('b',True,1,R,T(1))]}),
 pod('err',{"phase":"Failed","containerStatuses":[cs('a',False,0,T(1)),cs('b',False,0,T(0,"Completed"))]}),
 pod('sig',{"phase":"Failed","containerStatuses":[cs('a',False,0,T(0,"",9)),cs('b',False,0,T(0))]}),
 pod('done',{"phase":"Succeeded","containerStatuses":[cs('a',False,0,T(0,"Completed")),cs('b',False,0,T(0,"Completed"))]}),
 pod('mixed',{"phase":"Running","conditions":[C("Ready")],"containerStatuses":[cs('a',False,0,T(0,"Completed")),cs('b',True,0,R)]}),
 pod('mixednot',{"phase":"Running","containerStatuses":[cs('a',False,0,T(0,"Completed")),cs('b',True,0,R)]}),
 pod('mixederr',{"phase":"Running","containerStatuses":[cs('a',False,0,T(0,"Completed")),cs('b',False,0,T(3,"Oops"))]}),
 pod('evicted',{"phase":"Failed","reason":"Evicted","message":"m"}),
 pod('gated',None,{"schedulingGates":[{"name":"g.io/x"}]}),
 pod('gatedcond',{"phase":"Pending","conditions":[C("PodScheduled","False",reason="SchedulingGated")]}),
 pod('init0',{"phase":"Pending","initContainerStatuses":[cs('y',False,0,R)]},{"initContainers":[{"name":"y","image":"i"},{"name":"z","image":"i"}]}),
 pod('init1',{"phase":"Pending","initContainerStatuses":[cs('y',True,0,T(0,"Completed")),cs('z',False,0,W("PodInitializing"))]},{"initContainers":[{"name":"y","image":"i"},{"name":"z","image":"i"}]}),
 pod('initerr',{"phase":"Pending","initContainerStatuses":[cs('y',False,2,T(2,"Error"),T(2,"Error"))]},{"initContainers":[{"name":"y","image":"i"}]}),
 pod('initexit',{"phase":"Pending","initContainerStatuses":[cs('y',False,2,T(2),T(2))]},{"initContainers":[{"name":"y","image":"i"}]}),
 pod('initsig',{"phase":"Pending","initContainerStatuses":[cs('y',False,2,T(2,"",7))]},{"initContainers":[{"name":"y","image":"i"}]}),
 pod('initwait',{"phase":"Pending","initContainerStatuses":[cs('y',False,2,W("ImagePullBackOff"))]},{"initContainers":[{"name":"y","image":"i"}]}),
 pod('initdone',{"phase":"Running","initContainerStatuses":[cs('y',True,4,T(0,"Completed"),T(1))],"containerStatuses":[cs('a',True,1,R),cs('b',True,0,R)]},{"initContainers":[{"name":"y","image":"i"}]}),
 pod('initcond',{"phase":"Running","conditions":[C("Initialized")],"initContainerStatuses":[cs('y',False,4,R,T(1))],"containerStatuses":[cs('a',True,1,R,T(1,fin=LATE)),cs('b',True,0,R)]},{"initContainers":[{"name":"y","image":"i"}]}),
 pod('side',{"phase":"Running","initContainerStatuses":[cs('x',True,2,R,T(1),started=True),cs('y',False,1,T(0,"Completed"))],"containerStatuses":[cs('a',True,1,R,T(1,fin=LATE)),cs('b',True,0,R)]},SIDE),
 pod('side2',{"phase":"Pending","initContainerStatuses":[cs('x',False,2,R,T(1),started=False),cs('y',False,1,W("PodInitializing"))]},SIDE),
 pod('side3',{"phase":"Pending","initContainerStatuses":[cs('x',True,2,R,T(1),started=True),cs('y',False,1,R)]},SIDE),
 pod('gates',{"phase":"Running","conditions":[C("a.io/x"),C("a.io/y","False")]},{"readinessGates":[{"conditionType":"a.io/x"},{"conditionType":"a.io/y"},{"conditionType":"a.io/z"}]}),
 pod('nominated',{"phase":"Pending","nominatedNodeName":"n1"},None),
 pod('term',{"phase":"Running"},None,{"finalizers":["a.io/x"],"_delete":1}),
 pod('lost',{"phase":"Running","reason":"NodeLost"},None,{"finalizers":["a.io/x"],"_delete":1}),
 pod('termdone',{"phase":"Succeeded"},None,{"finalizers":["a.io/x"],"_delete":1}),
]
L={"a":"1"}
def tmpl(**k): return {"metadata":{"labels":{"a":"1","b":"2"}},"spec":{"containers":[{"name":"c","image":"x:1"},{"name":"d","image":"y"}],**k}}
SEL={"matchLabels":{"a":"1"},"matchExpressions":[{"key":"b","operator":"In","values":["2","1"]},{"key":"zz","operator":"DoesNotExist"}]}
A='/apis/apps/v1/namespaces/%s/'; B='/apis/batch/v1/namespaces/%s/'; V='/api/v1/namespaces/%s/'; N='/apis/networking.k8s.io/v1/namespaces/%s/'; S='/apis/storage.k8s.io/v1/'
OBJECTS: list[Any] = [
 (A+'deployments',{"metadata":{"name":"d"},"spec":{"replicas":3,"selector":SEL,"template":tmpl()}},{"replicas":3,"readyReplicas":2,"updatedReplicas":3,"availableReplicas":1}),
 (A+'replicasets',{"metadata":{"name":"d"},"spec":{"replicas":3,"selector":SEL,"template":tmpl()}},{"replicas":3,"readyReplicas":2,"fullyLabeledReplicas":3,"availableReplicas":1}),
 (A+'statefulsets',{"metadata":{"name":"d"},"spec":{"serviceName":"x","replicas":3,"selector":SEL,"template":tmpl()}},{"replicas":3,"readyReplicas":2}),
 (A+'daemonsets',{"metadata":{"name":"d"},"spec":{"selector":SEL,"template":tmpl(nodeSelector={"q":"w","a":"b"})}},{"currentNumberScheduled":1,"desiredNumberScheduled":2,"numberMisscheduled":0,"numberReady":3,"updatedNumberScheduled":4,"numberAvailable":5}),
 (A+'daemonsets',{"metadata":{"name":"e"},"spec":{"selector":{"matchLabels":L},"template":tmpl()}},None),
 (A+'controllerrevisions',{"metadata":{"name":"e","ownerReferences":[{"apiVersion":"apps/v1","kind":"DaemonSet","name":"x","uid":"1","controller":True}]},"revision":7,"data":{}},None),
 (A+'controllerrevisions',{"metadata":{"name":"f"},"revision":8,"data":{}},None),
 (V+'replicationcontrollers',{"metadata":{"name":"d"},"spec":{"replicas":3,"selector":L,"template":tmpl()}},{"replicas":3,"readyReplicas":2}),
 (V+'podtemplates',{"metadata":{"name":"d"},"template":tmpl()},None),
 (B+'jobs',{"metadata":{"name":"j1"},"spec":{"template":tmpl(restartPolicy="Never")}},None),
 (B+'jobs',{"metadata":{"name":"j2"},"spec":{"completions":5,"parallelism":2,"template":tmpl(restartPolicy="Never")}},{"startTime":EARLY,"succeeded":2,"active":1}),
 (B+'jobs',{"metadata":{"name":"j3"},"spec":{"parallelism":3,"template":tmpl(restartPolicy="Never")}},{"startTime":EARLY,"completionTime":LATE,"succeeded":3,"conditions":[C("SuccessCriteriaMet",lastTransitionTime=EARLY),C("Complete",lastTransitionTime=EARLY)]}),
 (B+'jobs',{"metadata":{"name":"j4"},"spec":{"suspend":True,"template":tmpl(restartPolicy="Never")}},{"conditions":[C("Suspended",lastTransitionTime=EARLY)]}),
 (B+'cronjobs',{"metadata":{"name":"c1"},"spec":{"schedule":"* * * * *","timeZone":"Etc/UTC","suspend":True,"jobTemplate":{"spec":{"template":tmpl(restartPolicy="Never")}}}},{"lastScheduleTime":EARLY,"active":[{"name":"x"}]}),
 (B+'cronjobs',{"metadata":{"name":"c2"},"spec":{"schedule":"* * * * *","jobTemplate":{"spec":{"template":tmpl(restartPolicy="Never")}}}},None),
 (V+'services',{"metadata":{"name":"s1"},"spec":{"selector":L,"ports":[{"port":80,"name":"a"},{"port":443,"name":"b","protocol":"UDP"}]}},None),
 (V+'services',{"metadata":{"name":"s2"},"spec":{"type":"NodePort","externalIPs":["1.2.3.4","1.2.3.5"],"ports":[{"port":80}]}},None),
 (V+'services',{"metadata":{"name":"s3"},"spec":{"type":"LoadBalancer","ports":[{"port":80}]}},None),
 (V+'services',{"metadata":{"name":"s4"},"spec":{"type":"LoadBalancer","externalIPs":["9.9.9.9"],"ports":[{"port":80}]}},{"loadBalancer":{"ingress":[{"ip":"8.8.8.8"},{"hostname":"a.b"},{"ip":"1.1.1.1","hostname":"zz"}]}}),
 (V+'services',{"metadata":{"name":"s5"},"spec":{"type":"ExternalName","externalName":"foo.bar"}},None),
 (V+'services',{"metadata":{"name":"s6"},"spec":{"clusterIP":"None","selector":{"b":"2","a":"1"}}},None),
 (V+'endpoints',{"metadata":{"name":"s1"},"subsets":[{"addresses":[{"ip":"1.1.1.1"},{"ip":"1.1.1.2"}],"ports":[{"port":80,"name":"a"},{"port":81,"name":"b"}]}]},None),
 (V+'endpoints',{"metadata":{"name":"s2"}},None),
 (V+'endpoints',{"metadata":{"name":"s3"},"subsets":[{"addresses":[{"ip":"1.1.1.1"},{"ip":"fe::1"}]},{"notReadyAddresses":[{"ip":"1.1.1.9"}],"ports":[{"port":80}]},{"addresses":[{"ip":"fe::1"}],"ports":[{"port":80}]}]},None),
 (V+'configmaps',{"metadata":{"name":"s1"},"data":{"a":"b","c":"d"},"binaryData":{"e":"aaaa"}},None),
 (V+'configmaps',{"metadata":{"name":"s2"}},None),
 (V+'secrets',{"metadata":{"name":"s2"},"stringData":{"a":"b"}},None),
 (V+'secrets',{"metadata":{"name":"s3"},"type":"a.io/b"},None),
 (V+'serviceaccounts',{"metadata":{"name":"s3"}},None),
 (V+'persistentvolumeclaims',{"metadata":{"name":"p1"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}},None),
 (V+'persistentvolumeclaims',{"metadata":{"name":"p2","annotations":{"volume.beta.kubernetes.io/storage-class":"beta"}},"spec":{"volumeName":"v1","volumeMode":"Block","accessModes":["ReadWriteMany","ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}},{"phase":"Bound","accessModes":["ReadWriteMany","ReadWriteOnce"],"capacity":{"storage":"2Gi"}}),
 (V+'persistentvolumeclaims',{"metadata":{"name":"p3"},"spec":{"storageClassName":"fast","volumeAttributesClassName":"gold","volumeName":"v1","accessModes":["ReadWriteOncePod"],"resources":{"requests":{"storage":"1Gi"}}}},{"phase":"Lost"}),
 (V+'persistentvolumeclaims',{"metadata":{"name":"p4","_delete":1},"spec":{"accessModes":["ReadOnlyMany"],"resources":{"requests":{"storage":"1Gi"}}}},None),
 (V+'resourcequotas',{"metadata":{"name":"q"},"spec":{"hard":{"pods":"3"}}},{"hard":{"pods":"3","limits.cpu":"4","limits.memory":"1Gi","requests.cpu":"5"},"used":{"pods":"1","limits.cpu":"500m"}}),
 (V+'limitranges',{"metadata":{"name":"q"},"spec":{"limits":[{"type":"Pod","max":{"cpu":"1"}}]}},None),
 (V+'events',{"metadata":{"name":"e1"},"involvedObject":{"namespace":"%s","kind":"Pod","name":"x","fieldPath":"spec.containers{a}"},"firstTimestamp":EARLY,"lastTimestamp":LATE,"count":4,"type":"Normal","reason":"R","message":" hello \n","source":{"component":"kubelet","host":"n1"}},None),
 (V+'events',{"metadata":{"name":"e2"},"involvedObject":{"namespace":"%s","kind":"Pod"},"type":"Warning","reason":"R","message":"m","source":{"component":"kubelet"}},None),
 (V+'events',{"metadata":{"name":"e3"},"involvedObject":{"namespace":"%s"},"message":"m"},None),
 ('/apis/events.k8s.io/v1/namespaces/%s/events',{"metadata":{"name":"e4"},"regarding":{"namespace":"%s","kind":"Pod","name":"x"},"eventTime":"2020-01-01T00:00:00.000001Z","series":{"count":9,"lastObservedTime":"2021-01-01T00:00:00.000001Z"},"type":"Normal","reason":"R","action":"A","note":"m","reportingController":"a.io/c","reportingInstance":"i-1"},None),
 (N+'ingresses',{"metadata":{"name":"i1"},"spec":{"ingressClassName":"nginx","tls":[{"hosts":["a.b"],"secretName":"x"}],"rules":[{"host":h} if h else {"http":{"paths":[{"path":"/","pathType":"Prefix","backend":{"service":{"name":"a","port":{"number":80}}}}]}} for h in ("a.b","","c.d","e.f","g.h","i.j")]}},{"loadBalancer":{"ingress":[{"ip":"8.8.8.8"},{"hostname":"a.b"}]}}),
 (N+'ingresses',{"metadata":{"name":"i2"},"spec":{"defaultBackend":{"service":{"name":"a","port":{"number":80}}}}},None),
 (N+'ingresses',{"metadata":{"name":"i3"},"spec":{"rules":[{"host":h} for h in ("a.b","c.d","e.f")]}},None),
 (N+'networkpolicies',{"metadata":{"name":"i2"},"spec":{"podSelector":SEL}},None),
 (N+'networkpolicies',{"metadata":{"name":"i3"},"spec":{"podSelector":{}}},None),
 ('/apis/policy/v1/namespaces/%s/poddisruptionbudgets',{"metadata":{"name":"p1"},"spec":{"minAvailable":"50%%","selector":SEL}},{"disruptionsAllowed":2,"currentHealthy":1,"desiredHealthy":1,"expectedPods":2}),
 ('/apis/policy/v1/namespaces/%s/poddisruptionbudgets',{"metadata":{"name":"p2"},"spec":{"maxUnavailable":1,"selector":SEL}},None),
 ('/apis/autoscaling/v2/namespaces/%s/horizontalpodautoscalers',{"metadata":{"name":"h1"},"spec":{"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"x"},"minReplicas":2,"maxReplicas":5,"metrics":[{"type":"Resource","resource":{"name":"cpu","target":{"type":"Utilization","averageUtilization":50}}},{"type":"Resource","resource":{"name":"memory","target":{"type":"AverageValue","averageValue":"100Mi"}}},{"type":"Pods","pods":{"metric":{"name":"q"},"target":{"type":"AverageValue","averageValue":"10"}}}]}},{"currentReplicas":2,"desiredReplicas":3,"currentMetrics":[{"type":"Resource","resource":{"name":"cpu","current":{"averageUtilization":33}}}]}),
 ('/apis/autoscaling/v2/namespaces/%s/horizontalpodautoscalers',{"metadata":{"name":"h2"},"spec":{"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"x"},"maxReplicas":5,"metrics":[{"type":"External","external":{"metric":{"name":"q"},"target":{"type":"Value","value":"30"}}},{"type":"Object","object":{"metric":{"name":"q"},"describedObject":{"kind":"Pod","name":"x"},"target":{"type":"AverageValue","averageValue":"30"}}}]}},{"currentReplicas":2,"desiredReplicas":3,"currentMetrics":[{"type":"External","external":{"metric":{"name":"q"},"current":{"value":"3"}}},{"type":"Object","object":{"metric":{"name":"q"},"describedObject":{"kind":"Pod","name":"x"},"current":{"value":"3","averageValue":"4"}}}]}),
 ('/apis/autoscaling/v1/namespaces/%s/horizontalpodautoscalers',{"metadata":{"name":"h3"},"spec":{"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"x"},"maxReplicas":5}},None),
 ('/apis/coordination.k8s.io/v1/namespaces/%s/leases',{"metadata":{"name":"l"},"spec":{"holderIdentity":"me"}},None),
 ('/apis/coordination.k8s.io/v1/namespaces/%s/leases',{"metadata":{"name":"l2"}},None),
 ('/apis/coordination.k8s.io/v1beta1/namespaces/%s/leasecandidates',{"metadata":{"name":"l2"},"spec":{"leaseName":"x","binaryVersion":"1.2.3","emulationVersion":"1.2.3","strategy":"OldestEmulationVersion"}},None),
 ('/apis/discovery.k8s.io/v1/namespaces/%s/endpointslices',{"metadata":{"name":"l2"},"addressType":"IPv4","ports":[{"port":80},{"name":"x"},{"port":81,"name":"y"},{"port":82,"name":"z"}],"endpoints":[{"addresses":["1.1.1.1","1.1.1.2"]},{"addresses":["1.1.1.3"]},{"addresses":["1.1.1.4"]}]},None),
 ('/apis/discovery.k8s.io/v1/namespaces/%s/endpointslices',{"metadata":{"name":"l3"},"addressType":"IPv4","endpoints":[]},None),
 ('/apis/rbac.authorization.k8s.io/v1/namespaces/%s/rolebindings',{"metadata":{"name":"r"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"view"},"subjects":[{"kind":"User","name":"u","apiGroup":"rbac.authorization.k8s.io"},{"kind":"User","name":"v","apiGroup":"rbac.authorization.k8s.io"},{"kind":"Group","name":"g","apiGroup":"rbac.authorization.k8s.io"},{"kind":"ServiceAccount","name":"sa","namespace":"ns"}]},None),
 ('/apis/rbac.authorization.k8s.io/v1/namespaces/%s/roles',{"metadata":{"name":"r"},"rules":[]},None),
 ('/api/v1/nodes',{"metadata":{"name":"n1","labels":{"node-role.kubernetes.io/control-plane":"","kubernetes.io/role":"boss"}},"spec":{"unschedulable":True}},{"conditions":[C("Ready")],"addresses":[{"type":"Hostname","address":"h"},{"type":"InternalIP","address":"1.1.1.1"},{"type":"ExternalIP","address":"2.2.2.2"}],"nodeInfo":{"architecture":"amd64","kernelVersion":"6.1","osImage":"Debian","containerRuntimeVersion":"containerd://2","kubeletVersion":"v1.36","bootID":"","kubeProxyVersion":"","machineID":"","operatingSystem":"","systemUUID":""}}),
 ('/api/v1/nodes',{"metadata":{"name":"n2"}},None),
 ('/api/v1/nodes',{"metadata":{"name":"n3"}},{"conditions":[C("Ready","Unknown")]}),
 ('/api/v1/persistentvolumes',{"metadata":{"name":"v1"},"spec":{"capacity":{"storage":"1Gi"},"accessModes":["ReadWriteMany","ReadOnlyMany"],"hostPath":{"path":"/x"},"claimRef":{"namespace":"a","name":"b"},"storageClassName":"fast"}},{"phase":"Bound","reason":"why"}),
 ('/api/v1/persistentvolumes',{"metadata":{"name":"v2"},"spec":{"capacity":{"storage":"1Gi"},"accessModes":["ReadWriteMany"],"hostPath":{"path":"/x"},"persistentVolumeReclaimPolicy":"Delete"}},None),
 ('/apis/networking.k8s.io/v1/ingressclasses',{"metadata":{"name":"nginx","annotations":{"ingressclass.kubernetes.io/is-default-class":"true"}},"spec":{"controller":"a.io/b","parameters":{"apiGroup":"k.io","kind":"K","name":"n"}}},None),
 ('/apis/networking.k8s.io/v1/ingressclasses',{"metadata":{"name":"nginx2"},"spec":{"controller":"a.io/b"}},None),
 ('/apis/networking.k8s.io/v1/ipaddresses',{"metadata":{"name":"10.0.0.77"},"spec":{"parentRef":{"group":"a.io","resource":"Foos","name":"x"}}},None),
 (S+'storageclasses',{"metadata":{"name":"fast","annotations":{"storageclass.kubernetes.io/is-default-class":"true"}},"provisioner":"p","allowVolumeExpansion":True,"reclaimPolicy":"Retain","volumeBindingMode":"WaitForFirstConsumer"},None),
 (S+'storageclasses',{"metadata":{"name":"slow"},"provisioner":"p"},None),
 (S+'csidrivers',{"metadata":{"name":"d1"},"spec":{"attachRequired":False,"volumeLifecycleModes":["Persistent","Ephemeral"],"tokenRequests":[{"audience":"a"},{"audience":"b"}],"requiresRepublish":True}},None),
 (S+'csidrivers',{"metadata":{"name":"d2"},"spec":{}},None),
 (S+'csinodes',{"metadata":{"name":"d2"},"spec":{"drivers":[{"name":"a.io","nodeID":"x"}]}},None),
 (S+'volumeattachments',{"metadata":{"name":"d2"},"spec":{"attacher":"a.io","nodeName":"n","source":{"persistentVolumeName":"v1"}}},None),
 (S+'volumeattributesclasses',{"metadata":{"name":"d2"},"driverName":"a.io","parameters":{"a":"b"}},None),
 (S+'namespaces/%s/csistoragecapacities',{"metadata":{"name":"d2"},"storageClassName":"x","capacity":"3Gi"},None),
 ('/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',{"metadata":{"name":"s3a"},"webhooks":[]},None),
 ('/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations',{"metadata":{"name":"s3a"},"webhooks":[]},None),
 ('/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies',{"metadata":{"name":"s3a"},"spec":{"paramKind":{"apiVersion":"a.io/v1","kind":"P"},"matchConstraints":{"resourceRules":[{"apiGroups":["x.io"],"apiVersions":["v1"],"operations":["CREATE"],"resources":["foos"]}]},"validations":[{"expression":"true"}]}},None),
 ('/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings',{"metadata":{"name":"s3a"},"spec":{"policyName":"none","paramRef":{"name":"x","parameterNotFoundAction":"Deny"},"validationActions":["Deny"]}},None),
 ('/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings',{"metadata":{"name":"s3b"},"spec":{"policyName":"none","paramRef":{"selector":SEL,"parameterNotFoundAction":"Deny"},"validationActions":["Deny"]}},None),
 ('/apis/scheduling.k8s.io/v1/priorityclasses',{"metadata":{"name":"s3b"},"value":-5,"globalDefault":False,"preemptionPolicy":"Never"},None),
 ('/apis/node.k8s.io/v1/runtimeclasses',{"metadata":{"name":"s3b"},"handler":"runc"},None),
 ('/apis/resource.k8s.io/v1/deviceclasses',{"metadata":{"name":"s3b"},"spec":{}},None),
 ('/apis/resource.k8s.io/v1/namespaces/%s/resourceclaims',{"metadata":{"name":"s3b"},"spec":{"devices":{"requests":[{"name":"r","exactly":{"deviceClassName":"s3b"}}]}}},None),
 ('/apis/resource.k8s.io/v1/namespaces/%s/resourceclaimtemplates',{"metadata":{"name":"s3b"},"spec":{"spec":{"devices":{"requests":[{"name":"r","exactly":{"deviceClassName":"s3b"}}]}}}},None),
 ('/apis/resource.k8s.io/v1/resourceslices',{"metadata":{"name":"s3b"},"spec":{"driver":"d.io","nodeName":"n1","pool":{"name":"p","generation":1,"resourceSliceCount":1},"devices":[]}},None),
 ('/apis/resource.k8s.io/v1alpha3/devicetaintrules',{"metadata":{"name":"s3b"},"spec":{"deviceSelector":{"driver":"d.io"},"taint":{"key":"a.io/k","value":"v","effect":"NoExecute","timeAdded":EARLY}}},None),
 ('/apis/resource.k8s.io/v1alpha3/resourcepoolstatusrequests',{"metadata":{"name":"s3b"},"spec":{"driver":"d.io"}},None),
 ('/apis/internal.apiserver.k8s.io/v1alpha1/storageversions',{"metadata":{"name":"a.b"},"spec":{},"status":{}},{"commonEncodingVersion":"v1","storageVersions":[{"apiServerID":"a","encodingVersion":"v1","decodableVersions":["v1"]}]}),
 ('/apis/apiregistration.k8s.io/v1/apiservices',{"metadata":{"name":"v1.s3.example.io"},"spec":{"group":"s3.example.io","version":"v1","groupPriorityMinimum":100,"versionPriority":100,"service":{"name":"a","namespace":"b"},"insecureSkipTLSVerify":True}},None),
]
