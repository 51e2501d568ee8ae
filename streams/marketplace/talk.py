"""Chat messages of the simulated marketplace's buyers and merchants. Every line is invented."""

from __future__ import annotations

BEFORE_ORDER = (
    "这款有现货吗，拍下什么时候能发？",
    "请问尺码偏大还是偏小？",
    "身高一米六五穿什么码合适",
    "满减和店铺优惠券可以一起用吗",
    "这个是纯棉的吗，会不会起球",
    "现在下单有赠品吗？",
)
WHERE_IS_IT = (
    "我的快递怎么还没到，物流好几天没动了",
    "麻烦帮我查一下物流，一直停在转运中心",
    "什么时候发货呀，等着用呢",
    "显示已发货但是没有揽收信息，是不是没寄出来",
    "快递员说地址不对，能帮我联系一下吗",
)
AFTER_DELIVERY = (
    "收到的颜色和图片不一样，想退货",
    "少发了一件，麻烦补一下",
    "包装破了，东西有点压坏了，怎么处理？",
    "质量一般，可以换一件吗",
    "谢谢，已经收到了，很满意",
)
#: Asks for the platform's staff in so many words.
ASK_PLATFORM = (
    "一直不解决，我要申请平台介入",
    "你们不退我就找平台客服了",
    "请小二介入处理，商家不回消息",
)
#: Mentions the platform's staff, and does not ask for them.
NOT_YET = (
    "先不介入了，你们今天给我答复就行",
    "不用介入，已经和店家商量好了",
)
MERCHANT = (
    "亲，马上帮您核实，请稍等",
    "亲，已经联系快递催件了，有消息第一时间告诉您",
    "您好，48 小时内会为您发出",
    "非常抱歉给您添麻烦了，可以给您补发或退款，您看哪个方便",
    "亲，有现货的，下午四点前下单当天发",
)
BOT = ("亲，您好，欢迎光临，人工客服正在赶来，请先说明您的问题。",)
