// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
#include "bench/load/session.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace fairlead::bench {
namespace {

constexpr char kProbe[] = "are you there? ";
constexpr double kCloseTimeout = 5;
constexpr std::uint16_t kNormal = 1000;

int BitOf(End end) { return end == End::kConsole ? 1 : 2; }

}  // namespace

Session::Session(Target& target, std::size_t index, SessionUser& user)
    : target_(target), index_(index), user_(user) {
  if (target.options().kind == Target::Kind::kReverseProxy) {
    target.Expect(index, this);
  } else {
    device_ = target.Dial(index, End::kDevice, *this);
  }
  console_ = target.Dial(index, End::kConsole, *this);
}

Session::~Session() {
  if (target_.options().kind == Target::Kind::kReverseProxy) target_.Expect(index_, nullptr);
}

void Session::Adopt(std::unique_ptr<Leg> device) {
  device_ = std::move(device);
  device_->set_handler(this);
}

void Session::OnOpen(Leg& leg) {
  // MeshCentral tells each leg when the other is there; the others hold early bytes.
  if (target_.options().kind == Target::Kind::kMeshCentral) return;
  in_place_ |= BitOf(EndOf(leg));
  Probe();
}

void Session::OnText(Leg& leg, const std::string& text) {
  if (target_.options().kind != Target::Kind::kMeshCentral || text != "c") return;
  in_place_ |= BitOf(EndOf(leg));
  Probe();
}

void Session::Probe() {
  if (in_place_ != 3 || std::exchange(probed_, true)) return;
  Send(End::kConsole, kProbe, sizeof(kProbe));
}

void Session::OnProbe(End at, std::size_t size) {
  std::size_t& got = at == End::kDevice ? probe_at_device_ : probe_at_console_;
  got += size;
  if (got != sizeof(kProbe)) return;
  if (at == End::kDevice) return Send(End::kDevice, kProbe, sizeof(kProbe));
  ready_ = true;
  user_.OnReady(*this);
}

void Session::OnBinary(Leg& leg, const char* data, std::size_t size, bool last) {
  if (!ready_) return OnProbe(EndOf(leg), size);
  user_.OnData(*this, EndOf(leg), data, size, last);
}

void Session::OnDrained(Leg& leg) {
  if (ready_) user_.OnDrained(*this, EndOf(leg));
}

void Session::Close() {
  if (std::exchange(closing_, true) || over_) return;
  console_->SendClose(kNormal);
}

void Session::OnEnd(Leg& leg, std::uint16_t code, absl::string_view why) {
  const End end = EndOf(leg);
  const bool first = ended_ == 0;
  ended_ |= BitOf(end);
  // MeshCentral closes the other leg without telling why.
  const bool told = code == kNormal || target_.options().kind == Target::Kind::kMeshCentral;
  if (!told || !closing_) {
    clean_ = false;
    if (failure_.empty()) {
      failure_ = absl::StrCat(end == End::kConsole ? "Console" : "device", " leg: ", why,
                              ", close code ", code);
    }
  }
  // A proxy that never dialled the device's end has nothing more to say.
  if (device_ == nullptr) ended_ = 3;
  if (ended_ == 3) {
    over_ = true;
    user_.OnOver(*this, clean_ && ready_);
    return;
  }
  if (!first) return;
  // Relays that lose one leg and keep the other are cut off.
  Leg* other = end == End::kConsole ? device_.get() : console_.get();
  const std::weak_ptr<char> alive = alive_;
  target_.loop().After(kCloseTimeout, [this, alive, other] {
    if (alive.expired() || over_) return;
    clean_ = false;
    if (failure_.empty()) failure_ = "the other leg was left open";
    other->Abort();
    over_ = true;
    user_.OnOver(*this, false);
  });
}

}  // namespace fairlead::bench
