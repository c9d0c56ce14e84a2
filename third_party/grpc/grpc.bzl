"""cc_grpc_library: C++ stubs and services for the gRPC services of a proto_library."""

def _grpc_codegen_impl(ctx):
    proto = ctx.attr.proto[ProtoInfo]
    if proto.proto_source_root not in [".", ""]:
        fail("cc_grpc_library wants protos that are imported by their path from the root")
    headers = []
    sources = []
    prefix = ctx.label.package + "/" if ctx.label.package else ""
    for source in proto.direct_sources:
        if not source.short_path.startswith(prefix):
            fail("%s lies outside of the package of %s" % (source.short_path, ctx.label))
        stem = source.short_path[len(prefix):-len(".proto")]
        headers.append(ctx.actions.declare_file(stem + ".grpc.pb.h"))
        sources.append(ctx.actions.declare_file(stem + ".grpc.pb.cc"))
    args = ctx.actions.args()
    args.add("--plugin=protoc-gen-grpc=" + ctx.executable._plugin.path)
    args.add("--grpc_out=" + ctx.bin_dir.path)
    args.add("--proto_path=.")
    args.add_all(proto.transitive_proto_path, format_each = "--proto_path=%s", uniquify = True)
    args.add_all(proto.direct_sources)
    ctx.actions.run(
        executable = ctx.executable._protoc,
        arguments = [args],
        inputs = proto.transitive_sources,
        tools = [ctx.executable._plugin],
        outputs = headers + sources,
        mnemonic = "GrpcCodegen",
        progress_message = "Generating gRPC code of %s" % ctx.attr.proto.label,
    )
    return [
        DefaultInfo(files = depset(headers + sources)),
        OutputGroupInfo(headers = depset(headers), sources = depset(sources)),
    ]

_grpc_codegen = rule(
    implementation = _grpc_codegen_impl,
    attrs = {
        "proto": attr.label(mandatory = True, providers = [ProtoInfo]),
        "_plugin": attr.label(
            default = "@com_github_grpc_grpc//:grpc_cpp_plugin",
            allow_single_file = True,
            executable = True,
            cfg = "host",
        ),
        "_protoc": attr.label(
            default = "@com_google_protobuf//:protoc",
            allow_single_file = True,
            executable = True,
            cfg = "host",
        ),
    },
)

def cc_grpc_library(name, protos, deps, **kwargs):
    """A cc_library of the generated *.grpc.pb.h and *.grpc.pb.cc, without mocks.

    Args:
      name: the library.
      protos: proto_library targets of this package; their direct sources' services are generated.
      deps: the cc_proto_library targets of the same protos.
      **kwargs: visibility, testonly and the like.
    """
    headers = []
    sources = []
    for proto in protos:
        codegen = "_%s_%s_codegen" % (name, proto.split(":")[-1])
        _grpc_codegen(name = codegen, proto = proto, tags = ["manual"])
        for group, targets in [("headers", headers), ("sources", sources)]:
            target = "%s_%s" % (codegen, group)
            native.filegroup(name = target, srcs = [codegen], output_group = group)
            targets.append(target)
    native.cc_library(
        name = name,
        srcs = sources,
        hdrs = headers,
        deps = deps + ["@com_github_grpc_grpc//:grpc++_unsecure"],
        **kwargs
    )
