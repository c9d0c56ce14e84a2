// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// See icg_commands.h.
#include "console/icg_commands.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace fairlead::console {

absl::StatusOr<absl::Duration> ParsePeriod(absl::string_view text) {
  std::int64_t seconds = 0;
  absl::Duration period;
  if (absl::SimpleAtoi(text, &seconds)) {
    period = absl::Seconds(seconds);
  } else if (!absl::ParseDuration(std::string(text), &period)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\" is not a period: give seconds, or for example 5m or 1h30m"));
  }
  if (period < absl::ZeroDuration() || period > absl::Hours(24)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the period ", text, " is not between 0 and 1 day"));
  }
  return period;
}

absl::Status RegisterIcg(CommandContext& context, const v1::RegisterIcgRequest& request,
                         const std::string& bundle_path, Overwrite overwrite) {
  FAIRLEAD_ASSIGN_OR_RETURN(SecretFile file, SecretFile::Prepare(bundle_path, overwrite));
  v1::RegisterIcgResponse registered;
  FAIRLEAD_RETURN_IF_ERROR(Call(context, "IcgService.RegisterIcg", request, &registered));
  FAIRLEAD_ASSIGN_OR_RETURN(const std::string bundle, ToJson(registered));
  const absl::Status written = file.Commit(bundle);
  if (!written.ok()) {
    return Annotate(written, absl::StrCat(registered.icg().name(),
                                          " is registered, but its bundle is lost (delete it and "
                                          "register it again)"));
  }
  return Report(
      context, registered.icg(),
      {absl::StrCat("Registered ", registered.icg().name(), ". Its bundle is in ", bundle_path,
                    ", which holds its private key: bring it to the ICG's host, and start there:"),
       absl::StrCat("  bazel run //:icg -- --bundle=", bundle_path),
       absl::StrCat("The server dials it at ", registered.icg().internal_address(),
                    "; devices and Consoles reach it at ", registered.icg().external_address(),
                    ".")});
}

absl::StatusOr<v1::ListIcgsResponse> FetchIcgs(CommandContext& context) {
  v1::ListIcgsResponse all;
  FAIRLEAD_RETURN_IF_ERROR(
      CallPages<v1::ListIcgsResponse>(context, "IcgService.ListIcgs", v1::ListIcgsRequest(),
                                      100'000, [&all](const v1::ListIcgsResponse& page) {
                                        all.mutable_icgs()->MergeFrom(page.icgs());
                                        return page.icgs_size();
                                      }));
  return all;
}

absl::Status ListIcgs(CommandContext& context) {
  FAIRLEAD_ASSIGN_OR_RETURN(const v1::ListIcgsResponse all, FetchIcgs(context));
  std::vector<std::vector<std::string>> rows = {
      {"ICG", "STATE", "SINCE", "DEVICES", "INTERNAL", "EXTERNAL", "LAST ERROR"}};
  for (const v1::Icg& icg : all.icgs()) {
    const std::string devices = icg.max_devices() == 0
                                    ? absl::StrCat(icg.connected_devices())
                                    : absl::StrCat(icg.connected_devices(), "/", icg.max_devices());
    rows.push_back({LastPart(icg.name()), v1::Icg::State_Name(icg.state()),
                    LocalTime(icg.since_time()), devices, icg.internal_address(),
                    icg.external_address(), icg.last_error()});
  }
  return Print(context, all, rows);
}

absl::Status DeleteIcg(CommandContext& context, const std::string& name) {
  v1::DeleteIcgRequest request;
  request.set_name(ResourceName("icgs", name));
  v1::DeleteIcgResponse response;
  FAIRLEAD_RETURN_IF_ERROR(Call(context, "IcgService.DeleteIcg", request, &response));
  return Report(context, response,
                {absl::StrCat(request.name(), " is deleted, and its certificate revoked.")});
}

}  // namespace fairlead::console
