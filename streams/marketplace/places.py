"""The provinces and carriers of the simulated marketplace."""

from __future__ import annotations

from typing import NamedTuple


class Province(NamedTuple):
    """A province with its hub, and branches that collect and deliver. `share`: of all destinations."""

    region: str
    hub: str
    branches: tuple[str, ...]
    share: int
    remote: bool = False


class Carrier(NamedTuple):
    """A carrier; its tracking numbers are its prefix and 12 digits."""

    code: str
    prefix: str
    share: int


PLACES = (
    Province("浙江", "杭州转运中心", ("杭州滨江营业部", "义乌北苑网点", "宁波鄞州网点"), 14),
    Province("广东", "广州转运中心", ("深圳南山营业部", "广州番禺网点", "东莞厚街网点"), 16),
    Province("江苏", "南京转运中心", ("苏州园区营业部", "南京江宁网点"), 10),
    Province("上海", "上海转运中心", ("上海浦东营业部", "上海青浦网点"), 9),
    Province("山东", "济南转运中心", ("青岛李沧网点", "临沂兰山网点"), 8),
    Province("北京", "北京转运中心", ("北京朝阳营业部", "北京通州网点"), 8),
    Province("四川", "成都转运中心", ("成都武侯营业部", "绵阳涪城网点"), 7),
    Province("河南", "郑州转运中心", ("郑州金水网点", "洛阳西工网点"), 7),
    Province("湖北", "武汉转运中心", ("武汉洪山营业部", "襄阳樊城网点"), 6),
    Province("福建", "泉州转运中心", ("厦门湖里网点", "福州仓山网点"), 5),
    Province("陕西", "西安转运中心", ("西安雁塔营业部",), 3),
    Province("黑龙江", "哈尔滨转运中心", ("哈尔滨道里网点",), 2),
    Province("内蒙古", "呼和浩特转运中心", ("包头昆都仑网点",), 1, remote=True),
    Province("甘肃", "兰州转运中心", ("兰州城关网点",), 1, remote=True),
    Province("新疆", "乌鲁木齐转运中心", ("喀什网点", "伊宁网点"), 2, remote=True),
    Province("西藏", "拉萨转运中心", ("拉萨城关网点",), 1, remote=True),
)

CARRIERS = (
    Carrier("ZTO", "78", 28),
    Carrier("YTO", "YT", 24),
    Carrier("YUNDA", "46", 20),
    Carrier("STO", "77", 16),
    Carrier("SF", "SF", 12),
)
