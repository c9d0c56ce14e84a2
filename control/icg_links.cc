// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See icg_links.h.
#include "control/icg_links.h"

#include <utility>

#include "absl/strings/strip.h"
#include "base/log.h"
#include "base/wait.h"

namespace fairlead::control {
namespace {

// A restart of either side is healed within this time.
constexpr absl::Duration kMaxBackoff = absl::Seconds(5);
// How long the ICG and its devices may take to hear that it is removed.
constexpr absl::Duration kFarewell = absl::Seconds(2);

absl::StatusOr<EdgeDialRequest> MakeRequest(const v1::Icg& icg, const IcgLinkSupport& support) {
  absl::StatusOr<IssuedIdentity> identity = support.identity.Get();
  if (!identity.ok()) return identity.status();
  EdgeDialRequest request;
  request.icg_id = std::string(absl::StripPrefix(icg.name(), "icgs/"));
  request.address = icg.internal_address();
  request.proxy = icg.proxy();
  request.certificate_chain_pem = std::move(identity->certificate_chain_pem);
  request.private_key_pem = std::move(identity->private_key_pem);
  request.ca_pem = support.authority.certificate_pem();
  const v1::EdgeConfiguration configuration = support.edges.Configuration(icg.name());
  request.revoked_fingerprints.assign(configuration.revoked_fingerprints().begin(),
                                      configuration.revoked_fingerprints().end());
  return request;
}

}  // namespace

ChannelSource IcgLinks::SourceFor(const v1::Icg& icg) const {
  return [icg, support = support_](EdgeDialer::Done done) {
    if (support.dialer == nullptr) {
      done(absl::FailedPreconditionError("this server cannot dial ICGs"));
      return;
    }
    absl::StatusOr<EdgeDialRequest> request = MakeRequest(icg, support);
    if (!request.ok()) {
      done(request.status());
      return;
    }
    support.dialer->Dial(*std::move(request), std::move(done));
  };
}

void IcgLinks::Add(const v1::Icg& icg) {
  EdgeLinkOptions options;
  options.edge = icg.name();
  options.max_backoff = kMaxBackoff;
  const auto link = std::make_shared<EdgeLink>(SourceFor(icg), support_.serial, support_.edges,
                                               std::move(options));
  absl::MutexLock lock(&mutex_);
  if (stopped_ || !links_.emplace(icg.name(), link).second) return;
  support_.serial.PostAfter(absl::ZeroDuration(), [&edges = support_.edges, icg, link]() {
    edges.AddIcg(icg, link.get());
  });
  link->Start();
}

void IcgLinks::Remove(const std::string& name, const std::vector<std::string>& fingerprints) {
  std::shared_ptr<EdgeLink> link;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = links_.find(name);
    if (found == links_.end()) return;
    link = std::move(found->second);
    links_.erase(found);
  }
  auto retired = std::make_shared<Event>();
  support_.serial.PostAfter(absl::ZeroDuration(),
                            [&edges = support_.edges, name, fingerprints, retired]() {
                              edges.RetireIcg(name, fingerprints);
                              retired->Set();
                            });
  if (!retired->WaitFor(kFarewell)) {
    spdlog::warn("{}: removed without its devices being told", Printable(name));
  }
  link->Stop(kFarewell);
  // The controller knows the link until then, so it must go after.
  support_.serial.PostAfter(
      absl::ZeroDuration(),
      [&edges = support_.edges, name, link = std::move(link)]() { edges.RemoveEdge(name); });
}

void IcgLinks::Stop() {
  std::map<std::string, std::shared_ptr<EdgeLink>> links;
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
    // They stay, since the controller knows them.
    links = links_;
  }
  for (const auto& [name, link] : links) link->Stop();
}

}  // namespace fairlead::control
