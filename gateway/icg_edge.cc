// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "gateway/icg_edge.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "gateway/operations_routes.h"
#include "gateway/refusal.h"

namespace fairlead::gateway {

using dataplane::HttpRequest;
using dataplane::HttpResponse;
using dataplane::PendingUpgrade;

IcgEdge::IcgEdge(IcgOptions options, EdgeServer& edge, DeviceHub& hub, const EdgeTrust& trust,
                 const Clock& clock, net::any_io_executor timers)
    : options_(std::move(options)),
      edge_(edge),
      hub_(hub),
      trust_(trust),
      clock_(clock),
      timers_(timers),
      absence_(options_.absence, clock.Monotonic()),
      timer_(timers) {
  // The link itself is asked, so that a device which comes right after it is let in.
  hub_.SetAdmission([this] {
    if (edge_.has_link()) return absl::OkStatus();
    return NoServerLinked();
  });
  edge_.SetLinkObserver([this] { net::post(timers_, [this] { FollowLink(); }); });
}

void IcgEdge::AddRoutes(dataplane::Router& router, std::shared_ptr<grpc::Channel> channel) {
  links_ = std::make_unique<EdgeWebSocket>(std::move(channel));
  dataplane::Route link;
  link.pattern = kLinkPath;
  link.on_upgrade = [this](HttpRequest request, std::unique_ptr<PendingUpgrade> upgrade) {
    return links_->Serve(std::move(request), std::move(upgrade));
  };
  router.Add(std::move(link));
  dataplane::Route status;
  status.pattern = kCheckStatusPath;
  status.max_body_bytes = 0;
  status.on_request =
      Secured([this](HttpRequest request) { return CheckStatus(std::move(request)); });
  router.Add(std::move(status));
}

void IcgEdge::SetGracePeriod(absl::Duration grace_period) {
  net::post(timers_, [this, grace_period] {
    absl::MutexLock lock(&mutex_);
    absence_.SetGracePeriod(grace_period);
    Follow();
  });
}

void IcgEdge::FollowLink() {
  absl::MutexLock lock(&mutex_);
  const bool was_linked = absence_.linked();
  absence_.SetLinked(edge_.has_link(), clock_.Monotonic());
  if (was_linked && !absence_.linked()) {
    spdlog::warn("icgs/{}: no server is linked any more; devices stay for {}, tunnels go on",
                 options_.id, absl::FormatDuration(absence_.CloseAt() - clock_.Monotonic()));
  }
  Follow();
}

void IcgEdge::Follow() {
  if (absence_.TakeClose(clock_.Monotonic())) {
    const dataplane::CloseReason reason{dataplane::kCloseGoingAway,
                                        ClipReason(absence_.CloseSentence())};
    spdlog::warn("icgs/{}: devices are disconnected: {}", options_.id, reason.text);
    hub_.DropAll(reason);
  }
  const absl::Duration close_at = absence_.CloseAt();
  if (close_at == absl::InfiniteDuration()) {
    timer_.cancel();
    return;
  }
  timer_.expires_after(absl::ToChronoNanoseconds(close_at - clock_.Monotonic()));
  timer_.async_wait([this](dataplane::error_code error) {
    if (error) return;
    absl::MutexLock lock(&mutex_);
    Follow();
  });
}

net::awaitable<HttpResponse> IcgEdge::CheckStatus(HttpRequest request) {
  if (request.method != "GET") co_return MethodNotAllowed();
  const bool valid = trust_.ValidAt(clock_.Now());
  std::string status;
  // The link itself is asked, as for admission.
  FollowLink();
  {
    absl::MutexLock lock(&mutex_);
    status = absence_.Status(valid, clock_.Monotonic());
  }
  co_return JsonResponse(200, absl::StrCat("{\"status\":\"", status, "\"}\n"));
}

void IcgEdge::Stop() {
  if (links_ != nullptr) links_->Stop();
}

}  // namespace fairlead::gateway
